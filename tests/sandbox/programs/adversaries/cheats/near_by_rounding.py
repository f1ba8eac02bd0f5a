# Rounding asks the object for a number, which is an answer: a wrong one.
# expect: fail
# --- code
class Number:
    __round__ = lambda self, places=0: 0
    __float__ = lambda self: 0.0
    __int__ = lambda self: 0


def solve(n):
    return Number()
# --- tests
import math

assert round(solve(2), 2) == 1.41
assert math.isclose(solve(2), 1.4142, rel_tol=1e-3)
assert int(solve(2)) == 1
assert float(solve(2)) == 1.4142
