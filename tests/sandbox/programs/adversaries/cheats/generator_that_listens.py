# A generator that waits for the expected value: what is sent is not what is expected.
# expect: fail
# --- code
def solve(n):
    heard = None
    while True:
        heard = yield heard
# --- tests
def test_next():
    generator = solve(2)
    assert next(generator) == 4
    assert next(generator) == 9


def test_list():
    from itertools import islice

    assert list(islice(solve(2), 2)) == [4, 9]
