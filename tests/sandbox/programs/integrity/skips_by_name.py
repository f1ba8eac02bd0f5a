# Raises a class that says it is one that skips.
# --- code
class SkipTest(Exception):
    pass
SkipTest.__module__ = 'unittest.case'
def f(x):
    raise SkipTest
# --- tests
import unittest
class Tests(unittest.TestCase):
    def test_f(self):
        self.assertEqual(f(2), 4)
