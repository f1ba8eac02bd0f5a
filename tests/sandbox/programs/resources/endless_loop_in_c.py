# Computes for ever within one call of C, where no signal handler of Python gets a turn.
# expect: timeout
import collections
import itertools

collections.deque(itertools.product(range(100), repeat=40), maxlen=0)
