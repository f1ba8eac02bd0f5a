# Reads what it is to write: the other ends belong to the outside.
# expect: contained
for fd in (1, 2, 4):
    attempt(f"read {fd}", os.read, fd, 1)
print("contained")
