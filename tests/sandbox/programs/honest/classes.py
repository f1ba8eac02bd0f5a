# Methods of all kinds, properties, inheritance.
# --- code
class A:
    made = 0
    @classmethod
    def make(cls):
        cls.made += 1
        return cls()
    @property
    def count(self):
        return self.made
    @staticmethod
    def twice(x):
        return x * 2
    def name(self):
        return 'a'
class B(A):
    def name(self):
        return super().name() + 'b'
# --- tests
one = A.make()
assert one.count == 1 and A.made == 1
assert A.twice(3) == 6
assert B().name() == 'ab'
assert isinstance(B(), A)
assert issubclass(B, A)
