# What an object says of its truth is believed, and then the tests are weak.
# expect: pass
# integrity: weak
# --- code
class Yes:
    def __bool__(self):
        return True


def solve(n):
    return Yes()
# --- tests
assert solve(2)
