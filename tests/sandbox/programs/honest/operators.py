# Operators of a class.
# --- code
class V:
    def __init__(self, x):
        self.x = x
    def __add__(self, other):
        return V(self.x + other.x)
    def __mul__(self, n):
        return V(self.x * n)
    def __neg__(self):
        return V(-self.x)
    def __len__(self):
        return 2
    def __getitem__(self, i):
        return self.x
    def __str__(self):
        return f'V{self.x}'
# --- tests
assert (V(1) + V(2)).x == 3
assert (V(2) * 4).x == 8
assert (-V(1)).x == -1
assert len(V(1)) == 2 and V(5)[0] == 5
assert str(V(7)) == 'V7'
