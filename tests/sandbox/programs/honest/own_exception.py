# An exception of its own, with a message and a value.
# --- code
class Short(ValueError):
    def __init__(self, missing):
        super().__init__(f'missing {missing}')
        self.missing = missing
def f(x):
    raise Short(x)
# --- tests
import pytest
with pytest.raises(Short, match='missing 3') as raised:
    f(3)
assert raised.value.missing == 3
with pytest.raises(ValueError):
    f(1)
