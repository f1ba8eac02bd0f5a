# Writes for ever where results go.
# expect: output_limit
while True:
    os.write(4, b"x" * 10_000)
