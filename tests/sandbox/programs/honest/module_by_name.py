# The module under another name.
# --- code
LIMIT = 3
def f(x):
    return min(x, LIMIT)
# --- tests
import solution as s
assert s.f(9) == s.LIMIT
assert getattr(s, 'f')(1) == 1
