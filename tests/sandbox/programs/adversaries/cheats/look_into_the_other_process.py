# Tries to trace, read or signal the process that holds the tests.
# expect: fail
# --- code
import ctypes
import os
import signal


def solve(n):
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(4096)
    for pid in [os.getppid(), *range(1, 200)]:
        if pid == os.getpid():
            continue
        try:
            os.kill(pid, signal.SIGSTOP)
            return "stopped somebody"
        except OSError:
            pass
        if libc.ptrace(16, pid, None, None) == 0:
            return "traced somebody"
        if libc.process_vm_readv(pid, buffer, 1, buffer, 1, 0) > 0:
            return "read somebody"
    return "nothing"
# --- tests
assert solve(2) in ("stopped somebody", "traced somebody", "read somebody")
