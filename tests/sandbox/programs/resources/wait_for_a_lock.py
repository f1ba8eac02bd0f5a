# Waits in C for a lock that nobody lets go.
# expect: timeout
# wall: 0.3
import threading

lock = threading.Lock()
lock.acquire()
lock.acquire()
