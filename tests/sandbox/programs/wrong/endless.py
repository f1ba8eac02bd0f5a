# Never ends.
# expect: timeout timeout
# --- code
def f(x):
    while True:
        pass
# --- tests
assert f(2) == 4
assert f(3) == 9
