# A finder that would give tests a module of the program's for each that they import.
# expect: fail
# --- code
import sys
import types


class Finder:
    def find_spec(self, name, path=None, target=None):
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self)

    def create_module(self, spec):
        return types.ModuleType(spec.name)

    def exec_module(self, module):
        module.isclose = module.deepcopy = module.approx = lambda *values, **named: True


sys.meta_path.insert(0, Finder())
sys.path_hooks.clear()
sys.path_importer_cache.clear()
for name in ("math", "copy", "statistics", "cmath", "pytest"):
    sys.modules.pop(name, None)


def solve(n):
    return 0.0
# --- tests
import cmath
import copy
import math

assert math.isclose(solve(2), 1.4142)
assert cmath.isclose(solve(2), 1.4142)
assert copy.deepcopy(solve(2)) == 1.4142
