# The order of the program's own objects is their own word too.
# expect: pass
# integrity: weak
# --- code
class Size:
    __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: True


def solve(n):
    return Size()
# --- tests
assert solve(2) < solve(3)
assert solve(2) > solve(3)
