"""The BPF program that lets through the system calls of `syscalls`, and some by their arguments."""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable, Sequence

from synth.sandbox.syscalls import ALLOWED, METADATA, NUMBERS

OWN_PID = 0x7FFFFF01
"""Stands for the process's own id, which is put in just before the program is loaded."""
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _RETURN = 0x20, 0x06
_IF_EQUAL, _IF_ABOVE, _IF_FROM, _IF_SET = 0x15, 0x25, 0x35, 0x45
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND, _THIRD = 0, 4, 16, 24, 32
_CLONE_THREAD = 0x10000
_AF_UNIX = 1
# SOCK_STREAM, with SOCK_CLOEXEC, SOCK_NONBLOCK, or both.
_STREAMS = (1, 0x80001, 0x801, 0x80801)
_PR_SET_NAME, _PR_GET_NAME = 15, 16
_X32 = 0x40000000
# Is it a terminal, close on exec or not, non-blocking, how much to read, the window's size.
_IOCTLS = (0x5401, 0x5451, 0x5450, 0x5421, 0x541B, 0x5413)
# Duplicate, flags, locks, the size of a pipe, seals. Not: who owns it and which signal he gets.
_FCNTLS = (0, 1, 2, 3, 4, 5, 6, 7, 36, 37, 38, 1030, 1031, 1032, 1033, 1034)
_Step = tuple[int, int, int, int]


def machine_is_known() -> bool:
    """Return whether there is a filter for this machine's processor."""
    return platform.machine() in NUMBERS


def program(*, metadata: bool, executes: bool) -> bytes:
    """Return the filter as BPF instructions of eight bytes each.

    `metadata`: whether modes, times and hard links of files may be changed. `executes`: whether the
    process may be replaced by another program, which inherits all limits.
    """
    machine = platform.machine()
    numbers = NUMBERS[machine]
    allowed = ALLOWED | METADATA if metadata else ALLOWED
    steps = [*_only_this(machine), *_by_arguments(numbers, executes=executes)]
    for first, last in _ranges(numbers[name] for name in allowed if name in numbers):
        steps += [(_IF_FROM, 0, 2, first), (_IF_ABOVE, 1, 0, last), _end(_ALLOW)]
    steps.append(_end(_ERRNO | errno.EPERM))
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def _ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return runs of neighbouring numbers: the kernel walks the filter for every call there is."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges


def _end(action: int) -> _Step:
    return (_RETURN, 0, 0, action)


def _load(place: int) -> _Step:
    return (_LOAD, 0, 0, place)


def _only_this(machine: str) -> list[_Step]:
    """Kill what calls by another architecture's table; refuse x32, a second table of x86_64."""
    steps = [
        _load(_ARCHITECTURE),
        (_IF_EQUAL, 1, 0, _AUDIT[machine]),
        _end(_KILL),
        _load(_NUMBER),
    ]
    if machine == "x86_64":
        steps += [(_IF_FROM, 0, 1, _X32), _end(_ERRNO | errno.EPERM)]
    return steps


def _by_arguments(numbers: dict[str, int], *, executes: bool) -> list[_Step]:
    refused = _end(_ERRNO | errno.EPERM)
    own = [_load(_FIRST), (_IF_EQUAL, 0, 1, OWN_PID), _end(_ALLOW), refused]
    cases: dict[str, Sequence[_Step]] = {
        "clone": [_load(_FIRST), (_IF_SET, 0, 1, _CLONE_THREAD), _end(_ALLOW), refused],
        # Its flags lie in memory, where no filter sees them; without it clone is used.
        "clone3": [_end(_ERRNO | errno.ENOSYS)],
        # A stream within the process; a datagram socket could send to any other that has a path.
        "socketpair": [
            *(_load(_FIRST), (_IF_EQUAL, 1, 0, _AF_UNIX), _end(_ERRNO | errno.EACCES)),
            *_one_of(_SECOND, _STREAMS, errno.EACCES),
        ],
        "prctl": [
            *(_load(_FIRST), (_IF_EQUAL, 2, 0, _PR_SET_NAME), (_IF_EQUAL, 1, 0, _PR_GET_NAME)),
            *(refused, _end(_ALLOW)),
        ],
        # Only asking: the pointer to new limits, both halves of it, is null.
        "prlimit64": [
            *(_load(_THIRD), (_IF_EQUAL, 0, 3, 0), _load(_THIRD + 4), (_IF_EQUAL, 0, 1, 0)),
            *(_end(_ALLOW), refused),
        ],
        "fcntl": _one_of(_SECOND, _FCNTLS, errno.EPERM),
        "ioctl": _one_of(_SECOND, _IOCTLS, errno.ENOTTY),
        "kill": own,
        "tgkill": own,
    }
    if executes:
        cases["execve"] = [_end(_ALLOW)]
    steps: list[_Step] = []
    for name, body in cases.items():
        steps += [(_IF_EQUAL, 0, len(body), numbers[name]), *body]
    return steps


def _one_of(place: int, values: Sequence[int], error: int) -> list[_Step]:
    tests = [(_IF_EQUAL, len(values) - index, 0, value) for index, value in enumerate(values)]
    return [_load(place), *tests, _end(_ERRNO | error), _end(_ALLOW)]
