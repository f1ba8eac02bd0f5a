# Raises what unittest and pytest take for a test that does not want to run.
# expect: error or fail
# --- code
import unittest


def solve(n):
    raise unittest.SkipTest("not today")
# --- tests
import unittest


def test_plain():
    assert solve(2) == 4


class TestIt(unittest.TestCase):
    def test_first(self):
        self.assertEqual(solve(2), 4)

    def test_second(self):
        with self.subTest(n=3):
            self.assertEqual(solve(3), 9)
