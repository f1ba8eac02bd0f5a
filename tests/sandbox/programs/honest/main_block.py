# A block for when it is run as a program.
# --- code
def f(x):
    return x * x
if __name__ == '__main__':
    import sys
    sys.exit(f(2))
# --- tests
assert f(2) == 4
