# Sleeps: no CPU time, only the clock can end it.
# expect: timeout
# wall: 0.3
import time

time.sleep(3600)
