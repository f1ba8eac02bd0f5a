# Makes namespaces, in which it would be root, or joins those of others.
# expect: contained
for space in (0x10000000, 0x20000, 0x40000000, 0x20000000, 0x4000000, 0x8000000, 0x2000000, 0x80,
              0x200, 0x400, 0x40000):
    attempt(f"unshare {space:#x}", syscall, 272, space)
attempt("setns", syscall, 308, 0, 0)
attempt("a new host name", syscall, 170, b"owned", 5)
attempt("a new domain name", syscall, 171, b"owned", 5)
print("contained")
