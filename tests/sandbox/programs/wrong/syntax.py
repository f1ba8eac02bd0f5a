# Is no Python.
# expect: error error
# --- code
def f(x)
    return x * x
# --- tests
assert f(2) == 4
assert f(3) == 9
