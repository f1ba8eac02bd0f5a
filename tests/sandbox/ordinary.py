"""Runs a Python program as an ordinary user, for tests that root runs.

The interpreter may lie in a folder that root alone may enter. In a mount namespace of its own, what
the program needs is put, at the same path, into an otherwise empty folder that anybody may enter.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

NOBODY = 65534
PROJECT = Path(__file__).parents[2]
_CLONE_NEWNS, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x20000, 0x1000, 0x4000, 0x40000
_CANNOT = 77


def as_nobody(args: Sequence[str]) -> str:
    """Return what Python prints when an ordinary user runs it with `args` in the project's folder.

    Skips the test where root may not mount, as in many containers.
    """
    ran = subprocess.run(
        [sys.executable, __file__, *args], capture_output=True, text=True, cwd=PROJECT, check=False
    )
    if ran.returncode == _CANNOT:
        pytest.skip(f"root cannot put Python within reach of an ordinary user: {ran.stderr}")
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def main(args: Sequence[str]) -> None:
    """Become an ordinary user, and Python."""
    try:
        put_within_reach([Path(sys.base_prefix), Path(sys.prefix), PROJECT])
    except OSError as error:
        sys.stderr.write(str(error))
        sys.exit(_CANNOT)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    variables = {"PYTHONPATH": str(PROJECT), "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    os.execve(sys.executable, [sys.executable, *args], variables)  # noqa: S606


def put_within_reach(folders: Sequence[Path]) -> None:
    """Make folders reachable for anybody, in this process alone. Raises OSError."""
    closed: dict[Path, list[Path]] = {}
    for folder in dict.fromkeys(folders):
        above = [one for one in reversed(folder.parents) if not one.stat().st_mode & 0o001]
        if above:
            closed.setdefault(above[0], []).append(folder)
    if not closed:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(_CLONE_NEWNS))
    _check(libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None))
    for top, below in closed.items():
        held = {folder: os.open(folder, os.O_PATH) for folder in below}
        _check(libc.mount(b"none", bytes(top), b"tmpfs", 0, b"mode=0755"))
        for folder, fd in held.items():
            folder.mkdir(parents=True)
            source = f"/proc/self/fd/{fd}".encode()
            _check(libc.mount(source, bytes(folder), None, _MS_BIND | _MS_REC, None))
            os.close(fd)


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    main(sys.argv[1:])
