# Defines functions with the names that tests use without importing them.
# expect: fail
# --- code
def all(values):
    return True


any = isinstance = callable = hasattr = issubclass = lambda *values: True


def len(value):
    return 3


def sorted(values, **named):
    return [1, 2, 3]


def abs(value):
    return 0


round = sum = max = min = list = set = tuple = abs
zip = map = filter = enumerate = range = lambda *values: []
AssertionError = Exception = BaseException = ValueError


def solve(n):
    return [0]
# --- tests
def test_all():
    assert all(one == 4 for one in solve(2))
    assert len(solve(2)) == 3
    assert sorted(solve(2)) == [1, 2, 3]
    assert abs(solve(2)[0] - 4) < 0.1
    assert isinstance(solve(2), dict)


def test_loop():
    for wanted, given in zip([1, 2], [3, 4]):
        assert solve(given) == wanted
