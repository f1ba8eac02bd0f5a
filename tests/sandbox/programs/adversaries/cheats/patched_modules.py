# Patches the functions that compare, in modules that both sides have.
# expect: fail
# --- code
import math
import random
import unittest

math.isclose = lambda *values, **named: True
random.randint = lambda low, high: 0
unittest.TestCase.assertEqual = lambda *values: None
unittest.TestCase.assertTrue = lambda *values: None
unittest.TestResult.addFailure = unittest.TestResult.addError = lambda *values: None


def solve(n):
    return 0
# --- tests
import math
import unittest


class TestIt(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(solve(2), 4)

    def test_true(self):
        self.assertTrue(math.isclose(solve(2), 4.0))
