# In a generator expression it is an error.
# expect: error
# --- code
def solve(n):
    raise StopIteration
# --- tests
assert all(solve(n) == n * n for n in [1, 2, 3])
assert [solve(n) for n in [1, 2]] == [1, 4]
