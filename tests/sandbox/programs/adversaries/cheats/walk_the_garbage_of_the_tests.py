# The same where tests hold it.
# expect: fail
# --- code
import gc


def solve(n):
    for one in gc.get_objects():
        for value in gc.get_referents(one):
            if isinstance(value, str) and value.startswith("EXPECTED-") and len(value) > 12:
                return value
    return "nothing"
# --- tests
WANTED = "EXPECTED-4711"
assert solve(2) == WANTED
