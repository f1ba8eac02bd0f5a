# Raises another exception.
# expect: error
# --- code
def f(x):
    raise KeyError(x)
# --- tests
import pytest
def test_f():
    with pytest.raises(ValueError):
        f(-1)
