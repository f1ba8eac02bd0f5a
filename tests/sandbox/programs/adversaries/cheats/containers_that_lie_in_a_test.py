# The same in front of asserts, with their lengths and what they contain.
# expect: fail
# --- code
class List(list):
    __eq__ = lambda self, other: True
    __contains__ = lambda self, item: True
    __len__ = lambda self: 3
    __iter__ = lambda self: iter([1, 2, 3])
    __getitem__ = lambda self, place: place + 1


class Text(str):
    __eq__ = lambda self, other: True
    __contains__ = lambda self, item: True
    startswith = lambda self, start: True
    __hash__ = str.__hash__


def solve(n):
    return List()


def say():
    return Text("")
# --- tests
assert solve(3) == [1, 2, 3]
assert len(solve(3)) == 3
assert 2 in solve(3)
assert list(solve(3)) == [1, 2, 3]
assert sorted(solve(3)) == [1, 2, 3]
assert say() == "abc"
assert "a" in say()
assert say().startswith("a")
