# Asserts among loops, try, walrus and comprehensions.
# --- code
def f(x):
    return x * x
# --- tests
for i in range(5):
    assert f(i) == i * i
try:
    f('a')
except TypeError:
    caught = True
assert caught
assert (found := f(3)) == 9
assert found == 9
assert [f(i) for i in range(3)] == [0, 1, 4]
def helper(x):
    return f(x) + 1
assert helper(1) == 2
