# Traces other processes, and reads and writes their memory.
# expect: contained
class Piece(ctypes.Structure):
    _fields_ = (("at", ctypes.c_void_p), ("length", ctypes.c_size_t))


room = ctypes.create_string_buffer(8)
here = Piece(ctypes.addressof(room), 8)
for pid in (os.getppid(), given["pid"], os.getpid()):
    args = (pid, ctypes.byref(here), 1, ctypes.byref(here), 1, 0)
    attempt(f"read {pid}", syscall, 310, *args)
    attempt(f"write {pid}", syscall, 311, *args)
    attempt(f"attach to {pid}", syscall, 101, 16, pid, 0, 0)
    attempt(f"seize {pid}", syscall, 101, 0x4206, pid, 0, 0)
    attempt(f"move the memory of {pid}", syscall, 256, pid, 8, 0, 0)
attempt("be traced", syscall, 101, 0, 0, 0, 0)
print("contained")
