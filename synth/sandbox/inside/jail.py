"""What a forked child gives up before it runs a program: in this order, and for good.

A mount namespace with a sized scratch folder, resource limits, Landlock, capabilities, and last the
system calls that the filter does not allow.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
from typing import Any

CLONE_NEWNS, CLONE_NEWPID = 0x20000, 0x20000000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _PR_CAP_AMBIENT = 38, 22, 47
_PR_SET_DUMPABLE, _PR_CAP_AMBIENT_CLEAR_ALL = 4, 4
_SECCOMP_MODE_FILTER = 2
_MS_NOSUID, _MS_NODEV = 2, 4
_SCRATCH_INODES = 2048
_CAP_DAC_READ_SEARCH = 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_READ, _WRITE, _LIST, _RUN = 0x4, 0x2, 0x8, 0x1
_FLAT = _READ | _WRITE | _LIST | 0x20 | 0x100 | 0x4000  # … and remove, make and truncate files
_ALL_OF_ABI = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 4: 0x7FFF}
_ALL_RIGHTS = 0xFFFF
libc = ctypes.CDLL(None, use_errno=True)


class JailError(Exception):
    """Something that had to be given up could not be: nothing may run then."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def check(result: int, what: str) -> int:
    """Return what a C function returned. Raises JailError where it says that it failed."""
    if result < 0:
        raise JailError(f"{what}: {os.strerror(ctypes.get_errno())}")
    return result


def mount_scratch(folder: str, size: int) -> None:
    """Give this process a mount namespace with an empty folder of `size` bytes."""
    check(libc.unshare(CLONE_NEWNS), "a mount namespace")
    options = f"size={size},nr_inodes={_SCRATCH_INODES},mode=0700".encode()
    flags = _MS_NOSUID | _MS_NODEV
    check(libc.mount(b"tmpfs", folder.encode(), b"tmpfs", flags, options), "the scratch folder")


def limit_resources(limits: dict[str, Any]) -> None:
    """Set the limits of this process; those named None stay as they are."""
    for name, value in (
        ("AS", limits["memory"]),
        ("DATA", limits["data"]),
        ("CPU", limits["cpu"]),
        ("FSIZE", limits["scratch"]),
        ("NPROC", limits["threads"]),
        ("NOFILE", limits["files"]),
        ("STACK", limits["stack"]),
        ("CORE", 0),
        ("MEMLOCK", 0),
        ("MSGQUEUE", 0),
    ):
        if value is not None:
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))


def landlock_abi() -> int:
    """Return which Landlock the kernel has, 0 for none."""
    abi = libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)
    return max(abi, 0)


def landlock(readable: list[str], scratch: str, devices: list[str], *, flat: bool) -> None:
    """Leave these files and folders alone reachable; nothing outside can be signalled.

    With `flat`, the scratch folder may hold files only: no folders, links, sockets.
    """
    abi = landlock_abi()
    rights = _ALL_OF_ABI.get(abi, _ALL_RIGHTS)
    network = 3 if abi >= 4 else 0
    scopes = 3 if abi >= 6 else 0
    attributes = struct.pack("QQQ", rights, network, scopes)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    rules = check(
        libc.syscall(_LANDLOCK_CREATE, attributes, ctypes.c_size_t(size), 0), "Landlock rules"
    )
    for path in readable:
        _allow(rules, path, _READ | _LIST | _RUN)
    for path in devices:
        _allow(rules, path, _READ | _WRITE)
    _allow(rules, scratch, rights & (_FLAT if flat else ~_RUN))
    no_new_privileges()
    check(libc.syscall(_LANDLOCK_RESTRICT, rules, 0), "Landlock")
    os.close(rules)


def _allow(rules: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there need not be reached
    if not os.path.isdir(path):  # noqa: PTH112 (pathlib costs each sandbox its import)
        rights &= _READ | _WRITE | _RUN
    rule = struct.pack("<Qi", rights, fd)
    check(libc.syscall(_LANDLOCK_ADD, rules, 1, rule, 0), f"the Landlock rule for {path}")
    os.close(fd)


def no_new_privileges() -> None:
    """Make sure that no program that is executed gets more than this one has."""
    check(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


def drop_capabilities(*, reads: bool) -> None:
    """Give up all capabilities; with `reads` all but that of reading what Landlock leaves."""
    kept = 1 << _CAP_DAC_READ_SEARCH if reads else 0
    header = struct.pack("=Ii", 0x20080522, 0)
    data = struct.pack("=6I", kept, kept, 0, 0, 0, 0)
    libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    check(libc.capset(header, data), "dropping capabilities")


def filter_system_calls(program: bytes) -> None:
    """Allow nothing but what a BPF program allows, in every thread to come."""
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    instructions = ctypes.create_string_buffer(program, len(program))
    handed = _Program(len(program) // 8, ctypes.addressof(instructions))
    no_new_privileges()
    check(
        libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(handed), 0, 0),
        "the filter of system calls",
    )
