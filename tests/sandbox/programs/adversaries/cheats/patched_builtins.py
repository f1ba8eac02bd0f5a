# Builtins that answer what tests like to hear: the tests have their own.
# expect: fail
# --- code
import builtins

builtins.len = lambda value: 3
builtins.all = builtins.any = builtins.isinstance = builtins.bool = lambda *values: True
builtins.sorted = builtins.list = lambda *values, **named: [1, 2, 3]
builtins.abs = builtins.round = builtins.sum = builtins.max = lambda *values: 0
builtins.AssertionError = type("Quiet", (Exception,), {})
builtins.range = lambda *values: []


def solve(n):
    return [0]
# --- tests
def test_all():
    assert len(solve(3)) == 3
    assert all(one > 0 for one in solve(3))
    assert isinstance(solve(3), tuple)
    assert sorted(solve(3)) == [1, 2, 3]
    assert sum(solve(3)) == 6
