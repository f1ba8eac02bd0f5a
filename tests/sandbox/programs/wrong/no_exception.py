# Does not raise what it should.
# expect: fail
# --- code
def f(x):
    return x
# --- tests
import pytest
def test_f():
    with pytest.raises(ValueError):
        f(-1)
