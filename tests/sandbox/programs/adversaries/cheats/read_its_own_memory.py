# Searches the process's memory, as far as it can be read, for the expected bytes.
# expect: fail
# --- code
import ctypes
import gc


def solve(n):
    wanted = b"EXPECTED-" + b"4711"
    for one in gc.get_objects():
        if isinstance(one, dict):
            for value in list(one.values()):
                if isinstance(value, bytes) and value == wanted:
                    return "EXPECTED-4711" if False else value.decode()
    for path in ("/proc/self/mem", "/proc/self/maps", "/proc/1/environ", "/proc/1/mem"):
        try:
            if wanted in open(path, "rb").read(1 << 20):
                return wanted.decode()
        except OSError:
            pass
    return "nothing"
# --- tests
assert solve(2) == "EXPECTED-" + "4711"
