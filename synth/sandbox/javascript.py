"""JavaScript in a sandbox: node, and the pattern for any language with an executable of its own.

To add a language, a package names a `Language` in the entry point group `synth.languages`:

- `executable` finds what runs it and says which files it reads: nothing else of the machine can be
  seen inside, so ask the program itself (`_asked`) rather than list folders.
- `limits` turns the limits of a recipe into those of the process: what the runtime takes for
  itself, in memory, threads and time, comes on top.
- A driver, in the language itself, gets its mode as its last argument: `calls`, `program`,
  `target`, `tests` or `together`. Messages are frames (`inside/frames.py`) of tagged values
  (`inside/values.py`): the payload on descriptor 3, results on 4, the other half of a split check
  on 5. What each mode reads and tells is what `inside/programs.py`, `target.py` and `testing.py`
  read and tell; only what passes between `target` and `tests` is the language's own affair. Its
  first result is `{"ready": 1}`, before it touches the program: a run without that counts as a
  failure of the sandbox, which nobody blames on the program.
- The system calls in `syscalls.py` must do: a process can start no other and open no socket.

A driver shares its process with the program, so nothing that it says is trusted: a program that
forges a frame gives an answer, and the expected values are never there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from synth.errors import InputError
from synth.sandbox.language import Executable, Language, Limits

_PARTS = (
    *("frames", "values", "exact", "program", "calls", "target", "remote"),
    *("sites", "matchers", "suite", "testing", "main"),
)
_ASK_S = 60.0
_ASKED = """
const { sharedObjects } = process.report.getReport();
const real = sharedObjects.filter((name) => name.startsWith('/'));
console.log(JSON.stringify({ version: process.versions.node, libraries: real }));
"""
_OLDEST = 18
# Node ends where the machine's configuration of OpenSSL is there and cannot be read.
_OPTIONS = ("--v8-pool-size=1", "--no-addons", "--no-warnings", "--openssl-config=/dev/null")
_MIB = 1 << 20
# What node maps for itself, beside the heap: stacks of its threads, code, young objects, buffers.
_OWN_MIB = 192
_OWN_THREADS = 16
_START_S = 1


def _executable() -> Executable:
    found = shutil.which("node")
    if found is None:
        raise InputError(
            "the sandbox runs JavaScript with node, and there is no `node` on the PATH; install "
            f"Node.js {_OLDEST} or later"
        )
    node = str(Path(found).resolve())
    asked = _asked(node)
    if int(asked["version"].partition(".")[0]) < _OLDEST:
        raise InputError(
            f"the sandbox wants node {_OLDEST} or later, {node!r} is {asked['version']}; install a "
            "later one, first on the PATH"
        )
    libraries = {str(Path(name).resolve()) for name in asked["libraries"]}
    return Executable(lambda limits: _command(node, limits), (node, *sorted(libraries)))


def _asked(node: str) -> dict[str, Any]:
    try:
        said = subprocess.run(  # noqa: S603 (the node that is installed)
            [node, "-e", _ASKED], capture_output=True, timeout=_ASK_S, check=True
        )
        return json.loads(said.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise InputError(f"the sandbox cannot ask {node!r} what it reads: {error}") from error


def _command(node: str, limits: Limits) -> tuple[str, ...]:
    heap = limits["data"] // _MIB - _OWN_MIB
    return (node, f"--max-old-space-size={heap}", *_OPTIONS, "-e", _driver())


@cache
def _driver() -> str:
    """Return the driver's source: its parts, which share one scope."""
    folder = files("synth.sandbox.inside") / "javascript"
    parts = [(folder / f"{name}.js").read_text("utf-8") for name in _PARTS]
    lines = [line.strip() for part in parts for line in part.splitlines()]
    told = [line for line in lines if line and not line.startswith("//")]
    return "\n".join(["'use strict';", "(() => {", *told, "})();"])


def _limits(limits: Limits) -> Limits:
    """Limit what node may write to: it reserves far more address space than it uses."""
    return {
        **limits,
        "memory": None,
        "data": limits["memory"] + _OWN_MIB * _MIB,
        "threads": limits["threads"] + _OWN_THREADS,
        "cpu": limits["cpu"] + _START_S,
        "wall": limits["wall"] + _START_S,
    }


JAVASCRIPT = Language("javascript", _executable, _limits)
