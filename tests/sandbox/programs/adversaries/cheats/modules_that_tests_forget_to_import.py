# Stands in for a module that tests name without importing it.
# expect: error
# --- code
class math:
    @staticmethod
    def isclose(one, other, **named):
        return True


class random:
    seed = lambda value: None


def solve(n):
    return 0.0
# --- tests
assert math.isclose(solve(2), 1.4142)
