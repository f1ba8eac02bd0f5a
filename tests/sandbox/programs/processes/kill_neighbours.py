# Sends signals to each process that might be there.
# expect: contained
import signal

for pid in {*range(1, 3000), *range(given["pid"] - 300, given["pid"] + 300)} - {os.getpid()}:
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        continue
    print("ESCAPED", pid)
print("contained")
