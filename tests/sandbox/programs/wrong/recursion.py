# Calls itself for ever.
# expect: error error
# --- code
def f(x):
    return f(x)
# --- tests
assert f(2) == 4
assert f(3) == 9
