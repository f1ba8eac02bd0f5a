# Gives values for as long as somebody asks.
# --- code
def f(x):
    while True:
        yield 4
# --- tests
assert list(f(2)) == [4]
