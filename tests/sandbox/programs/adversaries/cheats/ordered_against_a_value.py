# No object of the program has an order against a plain value.
# expect: error
# --- code
class Size:
    __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: True


def solve(n):
    return Size()
# --- tests
assert solve(2) < 4
assert 4 <= solve(2)
assert max(solve(2), 4) == 4
assert 0 < solve(2) < 10
