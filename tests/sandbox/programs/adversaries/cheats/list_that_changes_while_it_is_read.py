# An iterator's items change while they are written down: there is still one value, and it is wrong.
# expect: fail
# --- code
class Growing(list):
    def __iter__(self):
        yield 4
        yield 9

    def __reduce__(self):
        return (list, ([4, 9],))


def solve(n):
    return Growing([0])
# --- calls
solve(2) == [4, 9]
