# Takes all memory and says nothing of it.
# --- code
def f(x):
    held = []
    try:
        while True:
            held.append(bytearray(1 << 24))
    except MemoryError:
        return held[:1] and 1
# --- tests
assert f(2) == 4
assert f(3) == 9
# --- calls
[((2,), 4), ((3,), 9)]
