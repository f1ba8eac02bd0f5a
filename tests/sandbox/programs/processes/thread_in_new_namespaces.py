# Starts a thread, which it may, that would have namespaces of its own.
# expect: contained
import mmap

stack = mmap.mmap(-1, 1 << 16)
top = ctypes.addressof(ctypes.c_char.from_buffer(stack)) + (1 << 16) - 64
THREAD = 0x100 | 0x800 | 0x10000
for space in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
    # Flags that contradict each other, so that the kernel refuses what a filter might let through.
    attempt(f"a thread with {space:#x}", syscall, 56, THREAD | space, top, 0, 0, 0)
print("contained")
