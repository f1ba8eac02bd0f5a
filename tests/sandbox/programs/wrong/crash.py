# Crashes the interpreter.
# expect: crash crash
# --- code
import ctypes
def f(x):
    ctypes.string_at(0)
# --- tests
assert f(2) == 4
assert f(3) == 9
