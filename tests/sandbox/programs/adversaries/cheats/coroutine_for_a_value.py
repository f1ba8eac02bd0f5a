# A coroutine, a future, a lambda: none is the value that it would come to.
# expect: fail
# --- code
import functools


async def later(n):
    return n * n


def solve(n):
    return [later(n), functools.partial(later, n), lambda: n * n, (one for one in [4])][n % 4]
# --- calls
solve(0) == 0
solve(1) == 1
solve(2) == 4
solve(3) == 4
