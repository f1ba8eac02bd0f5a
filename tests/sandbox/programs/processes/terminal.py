# Types into the terminal of whoever runs it.
# expect: contained
import fcntl

for fd in (0, 1, 2):
    attempt("TIOCSTI", fcntl.ioctl, fd, 0x5412, b"x")
    attempt("TIOCLINUX", fcntl.ioctl, fd, 0x541C, b"\x03")
    attempt("TIOCSCTTY", fcntl.ioctl, fd, 0x540E, 1)
    attempt("FIOASYNC", fcntl.ioctl, fd, 0x5452, b"\1\0\0\0")
    attempt("FIBMAP", fcntl.ioctl, fd, 1, b"\0\0\0\0")
    attempt("FIOSETOWN", fcntl.ioctl, fd, 0x8901, b"\1\0\0\0")
attempt("open the terminal", os.open, "/dev/tty", os.O_RDWR)
print("contained")
