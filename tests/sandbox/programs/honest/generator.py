# A generator that tests consume.
# --- code
def f(x):
    yield from range(x)
# --- tests
assert list(f(3)) == [0, 1, 2]
assert sum(f(3)) == 3
assert next(f(1)) == 0
