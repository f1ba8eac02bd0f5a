# Ends well before any test.
# --- code
import sys
sys.exit(0)
def f(x):
    return 1
# --- tests
assert f(2) == 4
assert f(3) == 9
# --- calls
[((2,), 4), ((3,), 9)]
