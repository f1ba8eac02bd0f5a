# The iterator protocol.
# --- code
class Down:
    def __init__(self, n):
        self.n = n
    def __iter__(self):
        return self
    def __next__(self):
        if self.n == 0:
            raise StopIteration
        self.n -= 1
        return self.n
# --- tests
assert list(Down(3)) == [2, 1, 0]
assert [x for x in Down(1)] == [0]
