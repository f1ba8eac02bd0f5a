# SystemExit must neither end the tests well nor be skipped.
# expect: error
# --- code
def solve(n):
    raise SystemExit(0)
# --- tests
assert solve(2) == 4
assert solve(3) == 9
