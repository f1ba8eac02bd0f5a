# Calls itself for ever with Python's own limit out of the way, through C, until the stack ends.
# expect: crash or memory or error or timeout
class Down:
    def __repr__(self):
        return repr([self])


sys.setrecursionlimit(10 ** 9)
repr(Down())
