# The first answer is right, then it ends with code 0.
# expect: pass, early_exit, early_exit
# --- code
import os


def solve(n):
    if n > 2:
        os._exit(0)
    return n * n
# --- calls
solve(2) == 4
solve(3) == 9
solve(4) == 16
