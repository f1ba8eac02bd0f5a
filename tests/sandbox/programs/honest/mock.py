# Tests that replace what the code uses.
# --- code
import time
def f():
    return time.time()
# --- tests
from unittest.mock import patch
def test_f():
    with patch('time.time', return_value=5):
        assert f() == 5
