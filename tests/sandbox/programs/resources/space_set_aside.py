# Sets space aside, without writing it, faster than anybody looks.
# expect: error or output_limit
for number in range(400):
    with open(f"file-{number}", "wb") as file:
        os.posix_fallocate(file.fileno(), 0, 4 << 20)
print("ESCAPED 1.6 GiB")
