# Starts processes by the kernel's own calls, with and without memory in common.
# expect: contained
def forked(number, *args):
    got = syscall(number, *args)
    if got == 0:
        libc._exit(0)
    return got


attempt("fork", forked, 57)
attempt("clone", forked, 56, 17, 0, 0, 0, 0)
attempt("clone with a parent's parent", forked, 56, 0x8000 | 17, 0, 0, 0, 0)
attempt("clone3", forked, 435, bytes(32) + b"\x11" + bytes(55), 88)
for space in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
    attempt(f"clone with {space:#x}", forked, 56, space | 17, 0, 0, 0, 0)
print("contained")
