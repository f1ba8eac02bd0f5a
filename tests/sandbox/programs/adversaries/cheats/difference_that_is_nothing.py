# A test that takes a difference gives the expected value away and believes what comes back.
# expect: pass or fail or error
# integrity: weak
# --- code
class Near:
    def __sub__(self, other):
        return 0.0

    __rsub__ = __sub__


def solve(n):
    return Near()
# --- tests
assert abs(solve(2) - 1.4142) < 1e-4
assert abs(1.4142 - solve(2)) < 1e-4
