# Prints while it computes.
# --- code
import sys
def f(x):
    print('computing', x)
    print('careful', file=sys.stderr)
    return x * x
# --- tests
assert f(2) == 4
