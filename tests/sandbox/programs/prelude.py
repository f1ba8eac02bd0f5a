# What every program begins with. `given` names the bait that the machine outside has laid out.
import ctypes
import json
import os
import sys

given = json.loads(sys.stdin.read() or "{}")
libc = ctypes.CDLL(None, use_errno=True)


def syscall(number, *args):
    """Make a system call of x86_64 by its number; OSError where it fails."""
    args = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    got = libc.syscall(ctypes.c_long(number), *args)
    if got == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return got


def attempt(what, function, *args, **kwargs):
    """Say ESCAPED where a function that must not succeed does."""
    try:
        got = function(*args, **kwargs)
    except Exception:
        return
    print("ESCAPED", what, repr(got)[:200], flush=True)


