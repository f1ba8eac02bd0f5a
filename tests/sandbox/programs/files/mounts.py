# Mounts, by the old calls and by the new.
# expect: contained
try:
    os.mkdir("at")
except OSError:
    pass
attempt("tmpfs", syscall, 165, b"none", b"at", b"tmpfs", 0, 0)
attempt("proc", syscall, 165, b"none", b"at", b"proc", 0, 0)
attempt("bind", syscall, 165, b"/", b"at", 0, 0x1000, 0)
attempt("read-write", syscall, 165, b"none", b"/", 0, 0x20 | 0x1000, 0)
attempt("umount", syscall, 166, b"/tmp", 2)
attempt("open_tree", syscall, 428, -100, b"/", 1)
attempt("fsopen", syscall, 430, b"tmpfs", 0)
attempt("move_mount", syscall, 429, -100, b"/", -100, b"at", 0)
attempt("mount_setattr", syscall, 442, -100, b"/", 0, bytes(32), 32)
attempt("swapon", syscall, 167, b"at", 0)
print("contained")
