# Leaves threads running that nobody waits for: they are gone when the next program runs.
# expect: contained
import threading
import time

for _ in range(4):
    threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()
print("contained")
