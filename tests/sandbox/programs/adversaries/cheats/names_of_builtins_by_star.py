# The same for tests that import everything.
# expect: fail
# --- code
def all(values):
    return True


len = sorted = isinstance = sum = lambda *values: True
__all__ = ["all", "len", "sorted", "isinstance", "sum", "solve", "range", "pytest", "unittest"]
pytest = unittest = range = None


def solve(n):
    return [0]
# --- tests
from solution import *


def test_all():
    assert all(one == 4 for one in solve(2))
    assert len(solve(2)) == 4
    assert isinstance(solve(2), dict)
