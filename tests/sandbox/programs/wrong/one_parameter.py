# Fails for one of the parameters.
# expect: fail
# --- code
def f(x):
    return x if x < 3 else 0
# --- tests
import pytest
@pytest.mark.parametrize('x', [1, 2, 3])
def test_f(x):
    assert f(x) == x
