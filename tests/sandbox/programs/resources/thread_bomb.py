# Starts threads with small stacks for as long as it can; 200 would be more than it is given.
# expect: contained
# not at lsm: threads are counted by user there, and others of the same user count too
import threading

threading.stack_size(64 << 10)
gate, held = threading.Event(), []
for _ in range(200):
    thread = threading.Thread(target=gate.wait, daemon=True)
    try:
        thread.start()
    except RuntimeError:
        break
    held.append(thread)
if len(held) > 32:
    print("ESCAPED", len(held), "threads")
gate.set()
print("contained")
