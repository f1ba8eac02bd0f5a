# An object that says it is of a builtin's class.
# expect: fail
# --- code
class Masked:
    __class__ = int

    def __eq__(self, other):
        return True

    def __int__(self):
        return 4


class Kind(type):
    __instancecheck__ = __subclasscheck__ = lambda cls, other: True


class Anything(metaclass=Kind):
    __class__ = bool


def solve(n):
    return Masked() if n else Anything()
# --- tests
assert isinstance(solve(2), int)
assert type(solve(2)) is int
assert isinstance(solve(0), bool)
assert solve(2) == 4
assert solve(0) is True
