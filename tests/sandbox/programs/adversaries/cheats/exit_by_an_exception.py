# SystemExit instead of an answer.
# expect: early_exit
# --- code
def solve(n):
    raise SystemExit(0)
# --- calls
solve(2) == 4
solve(3) == 9
