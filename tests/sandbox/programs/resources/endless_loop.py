# Computes for ever.
# expect: timeout
while True:
    pass
