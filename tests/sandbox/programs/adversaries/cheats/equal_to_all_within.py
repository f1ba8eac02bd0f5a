# The same object within lists, tuples, sets, values and keys of mappings.
# expect: fail or error
# --- code
class Yes:
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __hash__(self):
        return hash(4)


MADE = {
    0: lambda: [Yes()],
    1: lambda: (Yes(),),
    2: lambda: {Yes()},
    3: lambda: {4: Yes()},
    4: lambda: {Yes(): 4},
    5: lambda: [[[Yes()]]],
    6: lambda: frozenset([Yes()]),
}


def solve(n):
    return MADE[n]()
# --- calls
solve(0) == [4]
solve(1) == (4,)
solve(2) == {4}
solve(3) == {4: 4}
solve(4) == {4: 4}
solve(5) == [[[4]]]
solve(6) == {4}
