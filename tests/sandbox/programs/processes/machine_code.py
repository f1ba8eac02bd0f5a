# Makes a system call of 32-bit programs, from machine code of its own: `fork` is number 2 there.
# expect: crash
import mmap

# mov eax, 2; int 0x80; ret
code = b"\xb8\x02\x00\x00\x00\xcd\x80\xc3"
page = mmap.mmap(-1, 4096, prot=7)
page.write(code)
at = ctypes.addressof(ctypes.c_char.from_buffer(page))
got = ctypes.CFUNCTYPE(ctypes.c_int)(at)()
print("ESCAPED", got)
