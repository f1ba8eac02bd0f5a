# Returns more than may come back.
# calls: f
# expect: output_limit or memory
def f():
    return "x" * (4 << 20)
