# Numbers of 6,000 digits.
# --- code
def f(n):
    return 10 ** n
# --- tests
assert f(6000) == 10 ** 6000
assert f(400) > 10 ** 399
