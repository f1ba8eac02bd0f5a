# Prints without end.
# expect: output_limit output_limit
# --- code
def f(x):
    while True:
        print('x' * 10_000)
# --- tests
assert f(2) == 4
assert f(3) == 9
