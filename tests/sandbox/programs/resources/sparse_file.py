# Makes a file that is larger than the machine's disk, with nothing in it.
# expect: contained
with open("sparse", "wb") as file:
    attempt("a size of 1 TiB", file.truncate, 1 << 40)
    attempt("a byte at 1 TiB", os.pwrite, file.fileno(), b"x", 1 << 40)
print("contained")
