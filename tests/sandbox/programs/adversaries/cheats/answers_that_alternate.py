# Objects that answer otherwise when they are asked again.
# expect: fail, pass, fail
# --- code
import itertools


class Guess:
    counted = itertools.count()

    @property
    def value(self):
        return next(self.counted)


def solve(n):
    return Guess()
# --- tests
def test_it():
    guess = solve(2)
    assert guess.value == 4
    assert guess.value == 1
    assert guess.value == 4
