# Changes the machine: its clock, its ports, the way that programs run.
# expect: contained
import time

attempt("clock_settime", time.clock_settime, time.CLOCK_REALTIME, 0)
attempt("settimeofday", syscall, 164, bytes(16), 0)
attempt("adjtimex", syscall, 159, b"\x01" + bytes(207))
attempt("clock_adjtime", syscall, 305, 0, b"\x01" + bytes(207))
attempt("iopl", syscall, 172, 3)
attempt("ioperm", syscall, 173, 0, 10, 1)
attempt("modify_ldt", syscall, 154, 0, bytes(16), 16)
attempt("personality", syscall, 135, 0x0400000)
attempt("set_mempolicy", syscall, 238, 0, 0, 0)
attempt("sync", syscall, 162)
attempt("syncfs", syscall, 306, 1)
print("contained")
