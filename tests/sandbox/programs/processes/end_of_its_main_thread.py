# Ends its first thread alone, by the kernel's own call: the others would go on.
# expect: timeout
# wall: 0.3
import threading
import time

threading.Thread(target=time.sleep, args=(3600,)).start()
syscall(60, 0)
