# Takes more memory than there is.
# expect: memory memory
# --- code
def f(x):
    return bytearray(1 << 33)
# --- tests
assert f(2) == 4
assert f(3) == 9
