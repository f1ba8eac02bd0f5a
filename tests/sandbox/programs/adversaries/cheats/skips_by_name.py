# A class of its own with the name that pytest's skip has.
# expect: error or fail
# --- code
class Skipped(BaseException):
    pass


class SkippedError(Exception):
    pass


Skipped.__module__ = "_pytest.outcomes"
SkippedError.__module__ = "synth.sandbox.inside.pytest_names"


def solve(n):
    raise (Skipped if n else SkippedError)("not today")
# --- tests
def test_first():
    assert solve(2) == 4


def test_second():
    assert solve(0) == 0
