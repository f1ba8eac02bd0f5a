# Changes the files that it was given, which the outside holds too.
# expect: contained
import fcntl

for fd in (0, 3):
    attempt(f"write {fd}", os.pwrite, fd, b"x", 0)
    attempt(f"truncate {fd}", os.ftruncate, fd, 0)
    attempt(f"grow {fd}", os.ftruncate, fd, 1 << 30)
    attempt(f"seal {fd}", fcntl.fcntl, fd, 1033, 0)
    attempt(f"reopen {fd}", lambda fd=fd: os.pwrite(os.open(f"/proc/self/fd/{fd}", os.O_RDWR), b"x", 0))
print("contained")
