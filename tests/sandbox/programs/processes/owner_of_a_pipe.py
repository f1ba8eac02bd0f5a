# Makes somebody else the owner of its pipe, whom the kernel then signals when there is input: only
# the Landlock of Linux 6.12 and later sees to it that this reaches nobody.
# expect: contained
import fcntl
import signal
import struct

F_SETSIG, F_SETOWN_EX = 10, 15
read, write = os.pipe()
# Itself, since a namespace knows nobody else: it is the call that must not be there.
attempt("an owner", fcntl.fcntl, read, fcntl.F_SETOWN, os.getpid())
attempt("an owner of another kind", fcntl.fcntl, read, F_SETOWN_EX, struct.pack("ii", 1, os.getpid()))
attempt("another signal", fcntl.fcntl, read, F_SETSIG, signal.SIGKILL)
attempt("a lease", fcntl.fcntl, read, fcntl.F_SETLEASE, fcntl.F_WRLCK)
print("contained")
