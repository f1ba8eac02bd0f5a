# Asks which capabilities it has, and for all of them; and uses what some would allow.
# expect: contained
header = b"\x22\x05\x08\x20" + bytes(4)
attempt("capget", syscall, 125, header, bytes(24))
attempt("capset", syscall, 126, header, b"\xff" * 24)
attempt("as root, keep a socket option", syscall, 54, 0, 1, 32, b"\1\0\0\0", 4)
attempt("as root, lock memory", syscall, 151, 1)
attempt("as root, look into the log", syscall, 103, 10, 0, 0)
print("contained")
