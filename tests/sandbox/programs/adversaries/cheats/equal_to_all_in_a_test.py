# The same object in front of asserts, on both sides of the operator.
# expect: fail
# --- code
class Yes:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __hash__(self):
        return 4


def solve(n):
    return Yes()
# --- tests
def test_left():
    assert solve(2) == 4


def test_right():
    assert 4 == solve(2)


def test_not_unequal():
    assert not (solve(2) != 4)


def test_among():
    assert solve(2) in [4, 5]


def test_as_a_key():
    assert solve(2) in {4: 1}


def test_is_it():
    assert solve(2) is True
