# Ends its process.
# expect: early_exit early_exit
# --- code
import os
def f(x):
    os._exit(3)
# --- tests
assert f(2) == 4
assert f(3) == 9
