# Looks for test files wherever it can list.
# expect: fail
# --- code
import os
import sys


def solve(n):
    for folder in ["/", "/tmp", "/scratch", ".", "/dev", *sys.path]:
        for where, _, names in os.walk(folder):
            if where.count("/") > 4:
                continue
            for name in names:
                if "test_solution" in name or "adversaries" in where:
                    return open(os.path.join(where, name)).read()
    return "nothing"
# --- tests
assert solve(2) == "4711"
