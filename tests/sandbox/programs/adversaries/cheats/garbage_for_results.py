# What is no frame at all.
# expect: error
# --- code
import os

os.write(4, b"\xff" * 1000)


def solve(n):
    return n * n
# --- calls
solve(2) == 4
