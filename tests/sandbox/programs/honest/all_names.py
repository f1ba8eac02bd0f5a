# All names at once.
# --- code
def f(x):
    return x
def g(x):
    return f(x) + 1
# --- tests
from solution import *
assert g(f(1)) == 2
