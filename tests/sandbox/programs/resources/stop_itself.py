# Stops itself, so that it uses nothing and never ends.
# expect: timeout
# wall: 0.3
import signal
import time

os.kill(os.getpid(), signal.SIGSTOP)
time.sleep(60)
