# Looks in all frames above, and in what they hold, for a value that could be the expected one.
# expect: fail
# --- code
import inspect
import sys


def solve(n):
    found, frame = [], sys._getframe()
    while frame is not None:
        found += [value for value in frame.f_locals.values() if type(value) is int]
        frame = frame.f_back
    for one in inspect.stack():
        found += [value for value in one.frame.f_globals.values() if type(value) is int]
    return 1234567 if 1234567 in found else "nothing"
# --- tests
def check(candidate):
    expected = 1234567
    assert candidate(2) == expected
# --- setup
answer = 1234567
