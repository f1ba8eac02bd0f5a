# Writes what is no result.
# --- code
import os
def f(x):
    for fd in range(3, 20):
        try:
            os.write(fd, bytes(range(256)))
        except OSError:
            pass
    return 1
# --- tests
assert f(2) == 4
assert f(3) == 9
# --- calls
[((2,), 4), ((3,), 9)]
