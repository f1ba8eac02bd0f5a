# Blocks each signal that can be, in the thread that sleeps.
# expect: timeout
# wall: 0.3
import signal
import time

signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
while True:
    time.sleep(60)
