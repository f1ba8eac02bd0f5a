# StopIteration out of a function that `map` calls ends `all` early, and nothing was false.
# expect: pass or fail or error
# integrity: weak
# --- code
def solve(n):
    raise StopIteration
# --- tests
assert all(map(solve, [2, 3, 5, 7]))
