# Arguments that are changed in place.
# --- code
def f(items, table):
    items.sort()
    table['n'] = len(items)
# --- tests
items, table = [3, 1], {}
assert f(items, table) is None
assert items == [1, 3]
assert table == {'n': 2}
