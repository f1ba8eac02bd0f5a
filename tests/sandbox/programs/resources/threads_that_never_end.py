# Leaves threads running when it is done: the process ends with them.
# expect: timeout
# wall: 0.3
import threading
import time

for _ in range(4):
    threading.Thread(target=time.sleep, args=(3600,)).start()
