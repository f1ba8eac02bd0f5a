# A text in place of a number.
# expect: fail fail
# --- code
def f(x):
    return str(x * x)
# --- tests
assert f(2) == 4
assert f(3) == 9
