# Prints for ever where errors go.
# expect: output_limit
while True:
    os.write(2, b"x" * 10_000)
