# Test cases with setup, parts and exceptions.
# --- code
def f(x):
    if x < 0:
        raise ValueError('negative')
    return x * x
# --- tests
import unittest
from solution import f
class Tests(unittest.TestCase):
    def setUp(self):
        self.x = 3
    def test_parts(self):
        for i in range(3):
            with self.subTest(i=i):
                self.assertEqual(f(i), i * i)
    def test_raises(self):
        with self.assertRaises(ValueError):
            f(-1)
        self.assertEqual(f(self.x), 9)
if __name__ == '__main__':
    unittest.main()
