# Takes a handle of another process, and through it a descriptor.
# expect: contained
for pid in (os.getpid(), os.getppid(), given["pid"], 1):
    attempt(f"pidfd_open of {pid}", os.pidfd_open, pid)
attempt("pidfd_send_signal", syscall, 424, 0, 9, 0, 0)
attempt("pidfd_getfd", syscall, 438, 0, 0, 0)
attempt("process_madvise", syscall, 440, 0, 0, 0, 0, 0)
attempt("process_mrelease", syscall, 448, 0, 0)
attempt("kcmp", syscall, 312, os.getpid(), os.getppid(), 0, 0, 0)
attempt("waitid of a handle", os.waitid, os.P_PIDFD, 0, os.WEXITED)
print("contained")
