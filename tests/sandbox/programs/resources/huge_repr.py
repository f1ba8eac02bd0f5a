# Returns an object whose text is 50 MB long.
# calls: f
# expect: returned
class Long:
    def __repr__(self):
        return "x" * 50_000_000


def f():
    return Long()
