# A function that returns a function.
# --- code
def f(n):
    count = 0
    def more():
        nonlocal count
        count += n
        return count
    return more
# --- tests
step = f(2)
assert step() == 2
assert step() == 4
