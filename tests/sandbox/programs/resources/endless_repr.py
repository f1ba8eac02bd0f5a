# Raises an exception whose text is never done.
# calls: f
# expect: timeout
# wall: 0.4
class Endless(Exception):
    def __str__(self):
        while True:
            pass


def f():
    raise Endless
