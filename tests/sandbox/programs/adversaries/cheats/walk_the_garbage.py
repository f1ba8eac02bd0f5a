# Looks through everything that lives in its process for the expected text.
# expect: fail
# --- code
import gc


def holds(value):
    return isinstance(value, str) and value.startswith("EXPECTED-")


def solve(n):
    for one in gc.get_objects():
        for value in gc.get_referents(one):
            if holds(value) and len(value) > 12:
                return value
    return "nothing"
# --- calls
solve(2) == "EXPECTED-" "4711"
solve(3) == "EXPECTED-" "4712"
