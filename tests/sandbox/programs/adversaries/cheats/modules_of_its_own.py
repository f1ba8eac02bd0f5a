# Objects in place of the modules that tests import.
# expect: fail
# --- code
import sys
import types


class Agreeing(types.ModuleType):
    def __getattr__(self, name):
        return lambda *values, **named: True


for name in ("math", "pytest", "unittest", "random", "json", "re", "numpy", "collections"):
    sys.modules[name] = Agreeing(name)
math = sys.modules["math"]


def solve(n):
    return 0.0
# --- tests
import json
import math
import re

import pytest


def test_all():
    assert math.isclose(solve(2), 1.4142)
    assert solve(2) == pytest.approx(1.4142)
    assert re.match("a", str(solve(2)))
    assert json.dumps(solve(2)) == "1.4142"
