# Returns nothing.
# expect: fail fail
# --- code
def f(x):
    x * x
# --- tests
assert f(2) == 4
assert f(3) == 9
