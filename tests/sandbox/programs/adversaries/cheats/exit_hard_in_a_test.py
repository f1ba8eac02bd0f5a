# The same against asserts: what has not run has not passed.
# entry point: solve
# expect: pass, early_exit, early_exit
# --- code
import os


def solve(n):
    if n > 2:
        os._exit(0)
    return n * n
# --- tests
def check(candidate):
    assert candidate(2) == 4
    assert candidate(3) == 9
    assert candidate(4) == 16
