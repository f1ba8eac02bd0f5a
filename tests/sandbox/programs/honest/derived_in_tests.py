# A class that the tests derive from one of the code.
# --- code
class A:
    def hello(self):
        return 'hello ' + self.who()
    def who(self):
        return 'a'
# --- tests
class T(A):
    def who(self):
        return 't'
assert T().hello() == 'hello t'
