# Gives the files of others a name in its own folder, and its own a name outside.
# expect: contained
attempt("link the secret", os.link, given["secret"], "mine")
attempt("link the interpreter", os.link, os.__file__, "os.py")
with open("own", "w") as file:
    file.write("own")
attempt("link outside", os.link, "own", os.path.join(given["folder"], "own"))
attempt("rename outside", os.rename, "own", os.path.join(given["folder"], "own"))
attempt("rename inside", os.rename, given["secret"], "mine")
attempt("exchange", syscall, 316, -100, b"own", -100, given["secret"].encode(), 2)
print("contained")
