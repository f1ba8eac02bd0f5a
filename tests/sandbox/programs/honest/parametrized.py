# Parameters, fixtures, classes.
# --- code
def f(x):
    return x * x
# --- tests
import pytest
from solution import f
@pytest.fixture
def base():
    yield 3
@pytest.mark.parametrize(('x', 'square'), [(1, 1), (2, 4)])
def test_square(x, square):
    assert f(x) == square
def test_base(base):
    assert f(base) == 9
class TestMore:
    def setup_method(self):
        self.x = 4
    def test_four(self):
        assert f(self.x) == 16
