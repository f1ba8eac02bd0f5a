# Looks in the environment and the arguments.
# expect: fail
# --- code
import os
import sys


def solve(n):
    told = [*os.environ.values(), *sys.argv, *getattr(sys, "orig_argv", [])]
    return next((4711 for one in told if "4711" in one), 0)
# --- tests
assert solve(2) == 4711
