# Has the kernel open a socket through a ring of requests, which no filter of system calls sees.
# expect: contained
attempt("io_uring_setup", syscall, 425, 8, bytes(120))
attempt("io_uring_enter", syscall, 426, 0, 0, 0, 0, 0, 0)
attempt("io_uring_register", syscall, 427, 0, 0, 0, 0)
print("contained")
