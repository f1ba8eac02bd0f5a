# Turns off, by prctl, what was turned on before it ran.
# expect: contained
from ctypes import c_ulong


def prctl(option, *args):
    return syscall(157, option, *[c_ulong(arg) for arg in (*args, 0, 0, 0, 0)[:4]])


for option, name in ((1, "PDEATHSIG"), (4, "DUMPABLE"), (8, "KEEPCAPS"), (22, "SECCOMP"),
                     (23, "CAPBSET_READ"), (24, "CAPBSET_DROP"), (26, "TSC"), (28, "SECUREBITS"),
                     (29, "TIMERSLACK"), (35, "MM"), (36, "CHILD_SUBREAPER"), (38, "NO_NEW_PRIVS"),
                     (47, "CAP_AMBIENT"), (53, "SPECULATION"), (59, "SYSCALL_USER_DISPATCH"),
                     (62, "SCHED_CORE"), (0x59616D61, "PTRACER")):
    attempt(f"prctl {name}", prctl, option, 1)
attempt("a filter of its own", syscall, 317, 1, 0, bytes(16))
attempt("what filters can", syscall, 317, 2, 0, bytes(4))
attempt("less Landlock", syscall, 444, bytes(24), 24, 0)
print("contained")
