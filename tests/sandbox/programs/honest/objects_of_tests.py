# Objects of the tests' own classes.
# --- code
def f(node):
    return node.value + 1
# --- tests
class Node:
    def __init__(self, value):
        self.value = value
assert f(Node(2)) == 3
