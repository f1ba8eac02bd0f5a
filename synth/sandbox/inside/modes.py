"""What a jailed child does: the ways to run a program, and the dry runs that warm them up."""

from __future__ import annotations

import importlib
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from synth.sandbox.inside import frames, programs, target

STDOUT, PAYLOAD, RESULTS, CHANNEL = 1, 3, 4, 5
BROKEN = 98
"""Exit code of a child whose harness fell over its program; says nothing that counts."""
_DRY_RUNS = 20
_DRY_CODE = "import math\n\ndef f(x, *, y=0):\n    return [x * x + y, {'a': (1, 2.5)}]\n"
_DRY_CALLS = [[["l", 1], ["d"]], [["l", 2], ["d", ["y", 3]]]]
_DRY_TESTS = {
    "tests": "def check(of):\n    assert of(2)[0] == 4\n    assert of([]) == 1\n",
    "setup": "",
    "module": "solution",
    "nonce": "",
}
# Each page that a child touches is copied for it: what few programs use is not among these.
_USED_BY_PROGRAMS = (
    *("abc", "bisect", "collections.abc", "copy", "dataclasses", "datetime", "decimal", "enum"),
    *("fcntl", "fractions", "functools", "heapq", "io", "itertools", "json", "math", "operator"),
    *("random", "re", "statistics", "string", "threading", "time", "types", "typing"),
)
_Mode = Callable[[dict[str, Any], int, int], int]
_MODES: dict[str, _Mode] = {
    "calls": programs.calls,
    "program": programs.program,
    "target": target.serve,
}


def run(mode: str, command: list[str] | None = None) -> int:
    """Run the payload in a mode and return the exit code."""
    if command:  # what says itself that it is ready
        os.execve(command[0], command, {})  # noqa: S606 (in the jail; the outside chose it)
    frames.write(RESULTS, {"ready": 1})
    payload = frames.read(PAYLOAD)
    return _MODES[mode](payload, RESULTS, CHANNEL)


def offer_tests() -> None:
    """Add the modes that run test source: they need much more than programs do."""
    from synth.sandbox.inside import testing

    _MODES.update({"tests": testing.apart, "together": testing.together})


def warm_up(preload: list[str], *, tests: bool) -> None:
    """Import what programs use, and run some: children then share the memory and the bytecode."""
    for name in (*_USED_BY_PROGRAMS, *preload):
        importlib.import_module(name)
    dry = {"code": _DRY_CODE, "entry_point": "f", "calls": _DRY_CALLS}
    asked = [frames.packed({"do": "call", "args": [["h", 0], 3], "kwargs": {}})] * len(_DRY_CALLS)
    for _ in range(_DRY_RUNS):
        _dry_run(_MODES["calls"], dry)
        _dry_run(_MODES["target"], dry, b"".join(asked))
        if tests:
            _dry_run(_MODES["together"], {**dry, **_DRY_TESTS})
    for name in ("solution", "test_solution"):
        sys.modules.pop(name, None)
    os.environ.clear()


def _dry_run(mode: _Mode, payload: dict[str, Any], asked: bytes = b"") -> None:
    """Run a mode here; what it tells fits into a socket's buffer and is not read."""
    ours, theirs = socket.socketpair()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with ours, theirs:
        ours.sendall(asked)
        ours.shutdown(socket.SHUT_WR)
        mode(payload, nowhere, theirs.fileno())
    os.close(nowhere)
