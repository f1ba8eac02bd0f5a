# A recursion 900 deep.
# --- code
def f(n):
    return 0 if n == 0 else 1 + f(n - 1)
# --- tests
assert f(900) == 900
