# Returns what equals nothing, itself included.
# --- code
def f(x):
    return float('nan')
# --- tests
assert f(2) == 4
assert f(3) == 9
# --- calls
[((2,), 4), ((3,), 9)]
