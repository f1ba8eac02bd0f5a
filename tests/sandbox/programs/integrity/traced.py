# Traces its caller and changes what it holds.
# --- code
import sys
def trace(frame, event, arg):
    for name in list(frame.f_locals):
        if name in ('said', 'value'):
            frame.f_locals[name] = 4
    return trace
sys.settrace(trace)
sys.setprofile(trace)
def f(x):
    return 1
# --- tests
assert f(2) == 4
assert f(3) == 9
# --- calls
[((2,), 4), ((3,), 9)]
