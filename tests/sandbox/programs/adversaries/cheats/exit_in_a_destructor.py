# Garbage that ends the process when it is collected.
# expect: early_exit
# --- code
import os


class Trap:
    def __del__(self):
        os._exit(0)


def solve(n):
    Trap()
    return 0
# --- calls
solve(2) == 4
