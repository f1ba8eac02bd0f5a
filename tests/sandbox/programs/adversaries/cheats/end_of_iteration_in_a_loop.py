# It ends a loop of asserts before the first of them, too: nothing has run, nothing has passed.
# expect: fail or error
# integrity: any
# --- code
def solve(n):
    raise StopIteration
# --- tests
def test_all():
    for got, wanted in zip(map(solve, [1, 2, 3]), [1, 4, 9]):
        assert got == wanted
