# Raises what ends a session.
# --- code
def f(x):
    raise KeyboardInterrupt
# --- tests
assert f(2) == 4
assert f(3) == 9
# --- calls
[((2,), 4), ((3,), 9)]
