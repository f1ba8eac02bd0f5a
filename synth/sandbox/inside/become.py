"""What root does before a sandbox begins: put what must be read in reach, and stop being root.

Run as a program of its own, it ends by becoming the command. Files of root that others may not
reach are bound to a folder that they may, in a mount namespace that this process alone sees; where
that cannot be, the command keeps one capability, to read, which Landlock then confines.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import sys
from typing import Any

_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000
_MS_NOSUID, _MS_NODEV = 2, 4
_PR_SET_KEEPCAPS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 8, 47, 2
_CAP_DAC_READ_SEARCH = 2
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        raise OSError(f"{what}: {os.strerror(ctypes.get_errno())}")


def bind(sources: list[str], folder: str) -> None:
    """Make each source readable as `folder`/0, `folder`/1 …, whoever owns the folders above it."""
    _check(_libc.unshare(_CLONE_NEWNS), "a mount namespace")
    _check(_libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None), "private mounts")
    # What lies below the folder can be neither opened nor asked for once that is covered.
    opened = [os.open(source, os.O_PATH) for source in sources]
    folders = [os.path.isdir(source) for source in sources]  # noqa: PTH112 (quick to start)
    flags = _MS_NOSUID | _MS_NODEV
    _check(_libc.mount(b"tmpfs", folder.encode(), b"tmpfs", flags, b"mode=0755"), folder)
    for number, (fd, source) in enumerate(zip(opened, sources)):  # noqa: B905 (Python 3.9)
        at = f"{folder}/{number}"
        if folders[number]:
            os.mkdir(at)  # noqa: PTH102
        else:
            os.close(os.open(at, os.O_CREAT | os.O_WRONLY, 0o644))
        held = f"/proc/self/fd/{fd}".encode()
        _check(_libc.mount(held, at.encode(), None, _MS_BIND | _MS_REC, None), source)
        os.close(fd)


def drop(user: int, *, reads: bool) -> None:
    """Become an ordinary user; with `reads` one who may read all that Landlock leaves."""
    _libc.prctl(_PR_SET_KEEPCAPS, 1 if reads else 0, 0, 0, 0)
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
    if reads:
        kept = 1 << _CAP_DAC_READ_SEARCH
        header, data = (
            struct.pack("=Ii", 0x20080522, 0),
            struct.pack("=6I", kept, kept, kept, 0, 0, 0),
        )
        _check(_libc.capset(header, data), "capabilities")
        raised = _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH, 0, 0)
        _check(raised, "the capability to read")


def main(wanted: dict[str, Any]) -> None:
    """Do what is wanted and become the command."""
    if wanted["bind"]:
        bind(wanted["bind"], wanted["folder"])
    drop(wanted["user"], reads=wanted["reads"])
    os.execve(wanted["command"][0], wanted["command"], wanted["variables"])  # noqa: S606


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
