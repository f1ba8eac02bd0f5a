# A named tuple keeps its names.
# --- code
from collections import namedtuple
Point = namedtuple('Point', 'x y')
def f(x):
    return Point(x, y=2)
# --- tests
assert f(1).x == 1
assert f(1) == (1, 2)
assert f(3)._replace(x=5) == (5, 2)
