# An object that says yes to every comparison.
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
# --- calls
solve(2) == 4
solve(3) == [9]
solve(4) == "16"
solve(5) == None
