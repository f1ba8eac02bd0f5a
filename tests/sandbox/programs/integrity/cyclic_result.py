# Returns a list that holds itself.
# --- code
def f(x):
    held = []
    held.append(held)
    return held
# --- tests
assert f(2) == 4
assert f(3) == 9
# --- calls
[((2,), 4), ((3,), 9)]
