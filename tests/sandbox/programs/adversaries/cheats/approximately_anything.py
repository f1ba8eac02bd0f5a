# pytest's approx against objects that agree with everything.
# expect: fail or error
# --- code
class Yes:
    __eq__ = lambda self, other: True
    __float__ = lambda self: 0.0


class Float(float):
    __eq__ = lambda self, other: True
    __sub__ = __rsub__ = lambda self, other: 0.0
    __abs__ = lambda self: 0.0


def solve(n):
    return Yes() if n else Float(0)
# --- tests
import pytest

assert solve(2) == pytest.approx(1.4142)
assert pytest.approx(1.4142) == solve(2)
assert solve(0) == pytest.approx(1.4142)
assert [solve(0)] == pytest.approx([1.4142])
