# Subclasses of containers and texts: what they hold counts, not what they say.
# expect: fail
# --- code
class Yes:
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __iter__ = lambda self: iter([1, 2, 3])
    __len__ = lambda self: 3
    __str__ = lambda self: "abc"
    __hash__ = lambda self: 1
    items = lambda self: [(1, 2)]


class List(Yes, list):
    pass


class Tuple(Yes, tuple):
    pass


class Text(Yes, str):
    pass


class Dict(Yes, dict):
    pass


class Set(Yes, set):
    pass


KINDS = [List, Tuple, Text, Dict, Set]


def solve(n):
    return KINDS[n]()
# --- calls
solve(0) == [1, 2, 3]
solve(1) == (1, 2, 3)
solve(2) == "abc"
solve(3) == {1: 2}
solve(4) == {1, 2, 3}
