# Ends at once, without a trace.
# --- code
import os
os._exit(0)
# --- tests
assert f(2) == 4
assert f(3) == 9
# --- calls
[((2,), 4), ((3,), 9)]
