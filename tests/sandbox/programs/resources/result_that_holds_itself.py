# Returns a list that holds itself.
# calls: f
# expect: returned or error
def f():
    made = []
    made.append(made)
    return made
