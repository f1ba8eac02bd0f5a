# Arguments in all their forms.
# --- code
def f(a, *more, b=2, **named):
    return a, more, b, named
# --- tests
assert f(1) == (1, (), 2, {})
assert f(1, 2, 3, b=4, c=5) == (1, (2, 3), 4, {'c': 5})
