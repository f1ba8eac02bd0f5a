# Ends well before any test has run: an exit code of 0 proves nothing.
# expect: early_exit
# --- code
import sys

sys.exit(0)
# --- tests
def test_it():
    assert solve(2) == 4
    assert solve(3) == 9
