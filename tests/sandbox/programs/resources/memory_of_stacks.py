# Starts threads with large stacks.
# expect: contained
import threading

threading.stack_size(64 << 20)
gate, held = threading.Event(), []
for _ in range(40):
    thread = threading.Thread(target=gate.wait, daemon=True)
    try:
        thread.start()
    except (RuntimeError, MemoryError):
        break
    held.append(thread)
if len(held) > 4:
    print("ESCAPED", len(held), "stacks of 64 MiB")
gate.set()
for thread in held:
    thread.join()
print("contained")
