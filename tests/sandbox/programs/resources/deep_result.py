# Returns a list in a list in a list …
# calls: f
# expect: returned or error
def f():
    made = []
    for _ in range(100_000):
        made = [made]
    return made
