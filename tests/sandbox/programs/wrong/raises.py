# Raises for one of the values.
# expect: error pass
# --- code
def f(x):
    return 9 if x == 3 else 1 / 0
# --- tests
assert f(2) == 4
assert f(3) == 9
