# Objects of a dataclass, by attributes and by equality.
# --- code
from dataclasses import dataclass, field
@dataclass(order=True)
class P:
    x: int
    tags: list = field(default_factory=list)
# --- tests
p = P(1)
assert p.x == 1 and p.tags == []
p.x = 9
assert p.x == 9
assert P(1) == P(1)
assert P(1) < P(2)
assert repr(P(1)) == 'P(x=1, tags=[])'
