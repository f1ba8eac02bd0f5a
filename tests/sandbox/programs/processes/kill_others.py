# Sends signals to its parent, to everybody, to its group, to the test that runs it.
# expect: contained
import signal

for pid in (os.getppid(), 0, -1, -os.getpgrp(), given["pid"], 1 if os.getpid() != 1 else 2, -2):
    for number in (0, signal.SIGTERM, signal.SIGKILL, signal.SIGSTOP):
        if pid != os.getpid():
            attempt(f"kill {pid} by {number}", os.kill, pid, number)
            attempt(f"tkill {pid} by {number}", syscall, 200, pid, number)
            attempt(f"tgkill {pid} by {number}", syscall, 234, pid, pid, number)
            attempt(f"queue to {pid}", syscall, 129, pid, number, bytes(128))
attempt("killpg", os.killpg, os.getpgrp(), signal.SIGTERM)
print("contained")
