# Raises what ends a loop.
# --- code
def f(x):
    raise StopIteration(4)
# --- tests
assert f(2) == 4
assert f(3) == 9
# --- calls
[((2,), 4), ((3,), 9)]
