# Takes more of the processor than others: a better nice value, real-time scheduling, other cores.
# expect: contained
attempt("nice", os.nice, -5)
attempt("setpriority", os.setpriority, os.PRIO_PROCESS, 0, -10)
attempt("real time", os.sched_setscheduler, 0, os.SCHED_FIFO, os.sched_param(50))
attempt("round robin", os.sched_setscheduler, 0, os.SCHED_RR, os.sched_param(1))
attempt("priority in and out", syscall, 251, 1, 0, (1 << 13) | 4)
attempt("cores", os.sched_setaffinity, 0, {0})
print("contained")
