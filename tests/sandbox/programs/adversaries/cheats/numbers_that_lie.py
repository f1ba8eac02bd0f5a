# Subclasses of numbers whose comparisons say yes: they count as the number that they are.
# expect: fail
# --- code
class Int(int):
    __eq__ = __le__ = __lt__ = __ge__ = __gt__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = int.__hash__
    __add__ = __int__ = __index__ = lambda self, *other: 4


class Float(float):
    __eq__ = __le__ = __ge__ = lambda self, other: True
    __mul__ = __float__ = lambda self, *other: 4.0
    __hash__ = float.__hash__


def solve(n):
    return Int(n) if n else Float(1.5)
# --- calls
solve(2) == 4
solve(0) == 4.0
