# A context manager.
# --- code
from contextlib import contextmanager
log = []
@contextmanager
def f():
    log.append('in')
    yield 5
    log.append('out')
def seen():
    return log
# --- tests
with f() as value:
    assert value == 5
assert seen() == ['in', 'out']
