# Keeps its memory from being swapped out.
# expect: contained
import mmap

page = mmap.mmap(-1, 1 << 20)
at = ctypes.addressof(ctypes.c_char.from_buffer(page))
attempt("mlock", syscall, 149, at, 1 << 20)
attempt("mlockall", syscall, 151, 3)
attempt("mlock2", syscall, 325, at, 1 << 20, 0)
attempt("huge pages", mmap.mmap, -1, 4 << 20, flags=0x40000 | mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
print("contained")
