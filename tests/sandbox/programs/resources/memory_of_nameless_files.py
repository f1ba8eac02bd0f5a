# Keeps memory in files that no folder holds and no limit of memory counts.
# expect: contained
attempt("memfd_create", os.memfd_create, "more")
attempt("memfd_secret", syscall, 447, 0)
attempt("an unnamed file outside", os.open, given["folder"], os.O_TMPFILE | os.O_RDWR)
print("contained")
