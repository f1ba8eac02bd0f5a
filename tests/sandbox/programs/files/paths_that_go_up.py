# Goes up and down again.
# expect: contained
up = "../" * 20
for path in (up + given["secret"], up + "etc/passwd", "./" + up + "proc/self/environ",
             "/tmp/.." + given["secret"], "//" + given["secret"]):
    attempt(f"read {path}", open, path)
here = os.open(".", os.O_RDONLY)
attempt("from a descriptor", os.open, "../../../" + given["secret"], os.O_RDONLY, dir_fd=here)
attempt("openat2", syscall, 437, here, given["secret"].encode(), bytes(24), 24)
print("contained")
