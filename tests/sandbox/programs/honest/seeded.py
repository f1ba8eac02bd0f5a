# Tests that seed random numbers.
# --- code
import random
def f():
    return random.random()
# --- tests
import random
random.seed(3)
first = f()
random.seed(3)
assert f() == first
