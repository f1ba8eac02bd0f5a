# Trace and profile functions that would rewrite what the tests compare.
# expect: fail
# --- code
import sys
import threading


def tracing(frame, event, value):
    for name in list(frame.f_locals):
        if name in ("expected", "wanted", "truth"):
            frame.f_locals[name] = 0
    return tracing


sys.settrace(tracing)
sys.setprofile(tracing)
threading.settrace(tracing)
sys.excepthook = sys.unraisablehook = lambda *values: None


def solve(n):
    return 0
# --- tests
def test_it():
    expected = 4
    assert solve(2) == expected
