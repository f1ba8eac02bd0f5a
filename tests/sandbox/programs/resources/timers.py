# Lets a timer interrupt it a thousand times a second.
# expect: timeout
# wall: 0.3
import signal
import time

signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
while True:
    time.sleep(60)
