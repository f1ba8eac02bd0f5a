# Matches a pattern that tries two to the power of forty ways.
# expect: timeout
# wall: 0.4
import re

re.match(r"(a+)+$", "a" * 40 + "b")
