# Replaces the modules by which tests find it, and itself.
# expect: fail or error
# --- code
import sys
import types


class Any(types.ModuleType):
    def __getattr__(self, name):
        return lambda *values: Any("yes")

    def __eq__(self, other):
        return True

    __hash__ = None


for name in ("solution", "test_solution", "__main__", "builtins", "synth"):
    sys.modules[name] = Any(name)
# --- tests
from solution import solve

assert solve(2) == 4
