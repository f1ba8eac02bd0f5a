# Imports what is not there.
# expect: error error
# --- code
import not_there
def f(x):
    return x * x
# --- tests
assert f(2) == 4
assert f(3) == 9
