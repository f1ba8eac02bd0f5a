# Returns a number that takes long to write in decimal digits.
# calls: f
# expect: output_limit or returned
def f():
    return 1 << 30_000_000
