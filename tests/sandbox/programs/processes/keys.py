# Keeps or reads keys in the kernel, which outlive a process.
# expect: contained
attempt("add_key", syscall, 248, b"user", b"left", b"content", 7, -4)
attempt("request_key", syscall, 249, b"user", b"left", 0, -4)
attempt("keyctl", syscall, 250, 0, -3, 1)
attempt("join a session", syscall, 250, 1, 0)
print("contained")
