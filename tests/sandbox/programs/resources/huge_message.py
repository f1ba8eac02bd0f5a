# Raises with a message of 50 MB.
# calls: f
# expect: error
def f():
    raise ValueError("x" * 50_000_000)
