# Defines something else.
# expect: error error
# --- code
def g(x):
    return x * x
# --- tests
assert f(2) == 4
assert f(3) == 9
