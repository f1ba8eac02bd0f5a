# Starts a process from machine code of its own, past libc: `vfork`, then `fork`.
# expect: contained
import mmap

for number in (57, 58):
    # mov eax, number; syscall; test rax, rax; jne +9; mov eax, 60; syscall; ret
    code = b"\xb8" + bytes([number]) + b"\0\0\0\x0f\x05\x48\x85\xc0\x75\x09" + (
        b"\xb8\x3c\0\0\0\x31\xff\x0f\x05\xc3"
    )
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(code)
    at = ctypes.addressof(ctypes.c_char.from_buffer(page))
    got = ctypes.CFUNCTYPE(ctypes.c_long)(at)()
    if got >= 0:
        print("ESCAPED", number, got)
print("contained")
