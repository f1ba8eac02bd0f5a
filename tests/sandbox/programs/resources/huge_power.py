# Computes a number of a billion digits.
# expect: timeout or memory
# wall: 0.4
print(len(str(7 ** (10 ** 9))))
