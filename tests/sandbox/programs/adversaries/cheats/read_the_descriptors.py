# Reads every descriptor for what is expected: there are inputs, and nothing more.
# expect: fail
# --- code
import os


def solve(n):
    for fd in range(64):
        try:
            os.lseek(fd, 0, os.SEEK_SET)
        except OSError:
            continue
        if b"4711" in os.read(fd, 1 << 20).replace(b"47" b"11-own", b""):
            return 4711
    return 0
# --- calls
solve(2) == 4_711
