# Another value.
# expect: pass fail
# --- code
def f(x):
    return x + x
# --- tests
assert f(2) == 4
assert f(3) == 9
