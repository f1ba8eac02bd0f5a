# A function of the name of a builtin, imported by the tests.
# --- code
def sum(items):
    total = 0
    for item in items:
        total += item
    return total
# --- tests
from solution import sum
assert sum([1, 2]) == 3
