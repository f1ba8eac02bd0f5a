# Tests use a module that the code imports.
# --- code
import math
from typing import List
def f(values: List[float]) -> float:
    return math.fsum(values)
# --- tests
assert math.isclose(f([0.1] * 10), 1.0)
