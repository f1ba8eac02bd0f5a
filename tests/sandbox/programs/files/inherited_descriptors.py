# Looks for descriptors that lead anywhere but to its own six pipes and files.
# expect: contained
import stat

for fd in range(6, 1024):
    try:
        found = os.fstat(fd)
    except OSError:
        continue
    print("ESCAPED", fd, found)
for fd in range(6):
    kind = stat.S_IFMT(os.fstat(fd).st_mode)
    if kind in (stat.S_IFDIR, stat.S_IFBLK, stat.S_IFSOCK):
        print("ESCAPED", fd, oct(kind))
print("contained")
