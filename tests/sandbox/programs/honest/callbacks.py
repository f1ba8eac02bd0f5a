# Functions of the tests as arguments.
# --- code
def f(items, key=None, keep=None):
    return sorted(filter(keep, items), key=key)
# --- tests
assert f([3, 1, 2], key=lambda x: -x) == [3, 2, 1]
assert f(['b', 'A'], key=str.lower) == ['A', 'b']
assert f([1, 2, 3], keep=lambda x: x > 1) == [2, 3]
