# Keeps memory and messages in the objects of System V and POSIX, which outlive a process.
# expect: contained
attempt("shmget", syscall, 29, 0, 64 << 20, 0o1600)
attempt("msgget", syscall, 68, 0, 0o1600)
attempt("semget", syscall, 64, 0, 100, 0o1600)
attempt("mq_open", syscall, 240, b"more", 0o102, 0o600, 0)
print("contained")
