"""What a jailed child does: the ways to run a program, and the dry runs that warm them up."""

from __future__ import annotations

import importlib
import os
from typing import Any

from synth.sandbox.inside import frames, programs, target, testing

STDOUT, PAYLOAD, RESULTS, CHANNEL = 1, 3, 4, 5
BROKEN = 98
"""Exit code of a child whose harness fell over its program; says nothing that counts."""
_DRY_RUNS = 20
_DRY_CODE = "import math\n\ndef f(x, *, y=0):\n    return [x * x + y, {'a': (1, 2.5)}]\n"
_DRY_CALLS = [[["l", 1], ["d"]], [["l", 2], ["d", ["y", 3]]]]
_USED_BY_PROGRAMS = (
    *("abc", "array", "ast", "base64", "bisect", "calendar", "cmath", "collections.abc", "copy"),
    *("csv", "ctypes", "dataclasses", "datetime", "decimal", "enum", "fcntl", "fractions"),
    *("functools", "hashlib", "heapq", "inspect", "io", "itertools", "json", "keyword", "locale"),
    *("math", "numbers", "operator", "queue", "random", "re", "statistics", "string", "struct"),
    *("tempfile", "textwrap", "threading", "time", "traceback", "types", "typing", "unittest"),
    *("unicodedata", "uuid", "weakref"),
)


def run(mode: str, command: list[str] | None = None) -> int:
    """Run the payload in a mode and return the exit code."""
    frames.write(RESULTS, {"ready": 1})
    if command:
        os.execve(command[0], command, {})  # noqa: S606 (in the jail; the outside chose it)
    payload = frames.read(PAYLOAD)
    match_mode = {
        "calls": programs.calls,
        "program": programs.program,
        "target": target.serve,
        "tests": testing.apart,
        "together": testing.together,
    }
    return match_mode[mode](payload, RESULTS, CHANNEL)


def warm_up(preload: list[str]) -> None:
    """Import what programs use, and run some: children then share the memory and the bytecode."""
    for name in (*_USED_BY_PROGRAMS, *preload):
        importlib.import_module(name)
    for _ in range(_DRY_RUNS):
        _dry_run({"code": _DRY_CODE, "entry_point": "f", "calls": _DRY_CALLS})
    os.environ.clear()


def _dry_run(payload: dict[str, Any]) -> None:
    source, sink = os.pipe()
    frames.write(sink, payload)
    os.close(sink)
    results, written = os.pipe()
    programs.calls(frames.read(source), written, -1)
    os.close(written)
    for _ in payload["calls"]:
        frames.read(results)
    os.close(source)
    os.close(results)
