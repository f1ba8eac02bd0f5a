# The standard collections are values.
# --- code
from collections import Counter, OrderedDict, defaultdict, deque
def f(text):
    found = defaultdict(list)
    found['a'].append(1)
    return Counter(text), deque([1, 2]), found, OrderedDict(b=1, a=2)
# --- tests
from collections import deque
counted, queue, found, ordered = f('aab')
assert counted == {'a': 2, 'b': 1}
assert queue == deque([1, 2])
assert found == {'a': [1]}
assert list(ordered) == ['b', 'a']
