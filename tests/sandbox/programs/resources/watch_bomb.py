# Has the kernel watch things for it.
# expect: contained
attempt("inotify_init", syscall, 253)
attempt("inotify_init1", syscall, 294, 0)
attempt("fanotify_init", syscall, 300, 0, 0)
attempt("timer_create", syscall, 222, 1, 0, ctypes.byref(ctypes.c_int()))
attempt("timerfd_create", syscall, 283, 1, 0)
attempt("io_setup", syscall, 206, 1000, ctypes.byref(ctypes.c_ulong()))
attempt("userfaultfd", syscall, 323, 1)
print("contained")
