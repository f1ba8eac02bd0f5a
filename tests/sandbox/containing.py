"""Runs the programs of tests/sandbox/programs at one level and looks at what became of the bait.

A program is a file. Its first lines say what it tries and what must hold:

    # expect: contained          it ran to its end and printed `contained`, never `ESCAPED …`
    # expect: timeout or memory  or else it came to one of these outcomes
    # not at lsm: why            it escapes at that level, which is known and documented
    # calls: f                   f() is called, instead of running the program
    # wall: 0.3                  its limit on the clock, where that is what ends it
    # --- next run ---           what follows is a program of its own, run after the one before

Whatever a program did, the bait must be as it was, and the next program must run in the same
zygote, in an empty folder, with one thread.

As a program of its own it prints what became of each, as JSON: `containing.py LEVEL`.
"""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from synth import Sandbox
from synth.sandbox import Call, Result, calling
from synth.sandbox.launch import Level
from synth.sandbox.levels import Pool

PROGRAMS = Path(__file__).parent / "programs"
CLASSES = ("resources", "files", "network", "processes")
LIMITS = Sandbox(
    cpu_s=1, wall_s=2, memory_mb=256, threads=8, output_kb=64, result_mb=1, scratch_mb=8
)
_NEXT_RUN = "# --- next run ---\n"
_HEADER = re.compile(r"# (expect|calls|wall|not at (?:ns|lsm)): (.+)")
_SECRET = "the-secret-that-nobody-may-read"  # noqa: S105 (it is bait)
# Longer than the wall limit and what the outside may take to end a run.
_LONGEST_S = 12.0
_HONEST = "import os, threading\nprint(os.listdir('.'), threading.active_count(), dict(os.environ))"
_AS_EVER = "[] 1 {}\n"


@dataclass(frozen=True)
class Program:
    """One file of the suite."""

    name: str
    runs: tuple[str, ...]
    header: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> Program:
        """Read what it says of itself, and its runs."""
        text = path.read_text("utf-8")
        header = dict(_HEADER.findall(text))
        assert "expect" in header, f"{path}: no line `# expect: …`"
        name = f"{path.parent.name}/{path.stem}"
        return cls(name, tuple(text.split(_NEXT_RUN)), header)

    @property
    def expected(self) -> list[str]:
        """The outcomes of its last run that are right."""
        return self.header["expect"].split(" or ")

    def escapes_at(self, level: str) -> str:
        """Return why it is known to escape at a level; empty where it must not."""
        return self.header.get(f"not at {level}", "")


def programs() -> list[Program]:
    """Return all of them, in a steady order."""
    return [
        Program.read(path) for kind in CLASSES for path in sorted((PROGRAMS / kind).glob("*.py"))
    ]


@dataclass
class Bait:
    """What a program would reach if nothing kept it in; all of it open to any user."""

    folder: Path
    sockets: dict[str, socket.socket] = field(default_factory=dict[str, socket.socket])

    def given(self) -> str:
        """Return what programs are told of it."""
        told: dict[str, Any] = {
            "folder": str(self.folder),
            "secret": str(self.folder / "secret"),
            "pid": os.getpid(),
            "home": str(Path.home()),
            "project": str(Path(__file__).parents[2]),
            "tcp": self.sockets["tcp"].getsockname()[1],
            "udp": self.sockets["udp"].getsockname()[1],
            "unix": self.sockets["unix"].getsockname(),
            "datagram": self.sockets["datagram"].getsockname(),
            "abstract": "\0" + self.sockets["abstract"].getsockname()[1:].decode(),
        }
        return json.dumps(told)

    def harm(self) -> Iterator[str]:
        """Yield what has been changed or reached."""
        secret = self.folder / "secret"
        if not secret.is_file() or secret.read_text("utf-8") != _SECRET:
            yield "the secret file was changed"
        elif stat.S_IMODE(secret.stat().st_mode) != 0o666 or secret.stat().st_mtime != 1e9:
            yield "the secret file's mode or time was changed"
        left = {path.name for path in self.folder.iterdir()} - {"secret", "unix", "datagram"}
        if left or secret.stat().st_nlink != 1:
            yield f"something was made outside: {sorted(left)}"
        for name, heard in self.sockets.items():
            try:
                if name in ("tcp", "unix"):
                    heard.accept()[0].close()
                else:
                    heard.recv(100)
            except BlockingIOError:
                continue
            yield f"something came to the {name} socket"


@contextmanager
def bait() -> Generator[Bait]:
    """Lay out a file, a folder and sockets."""
    # Not pytest's folder, which only its owner reaches.
    with tempfile.TemporaryDirectory(prefix="bait-") as name, ExitStack() as opened:
        made = Bait(Path(name))
        made.folder.chmod(0o777)
        secret = made.folder / "secret"
        secret.write_text(_SECRET, encoding="utf-8")
        secret.chmod(0o666)
        os.utime(secret, (1e9, 1e9))
        internet, stream, datagram = ("127.0.0.1", 0), socket.SOCK_STREAM, socket.SOCK_DGRAM
        for kind, family, how, address in (
            ("tcp", socket.AF_INET, stream, internet),
            ("udp", socket.AF_INET, datagram, internet),
            ("unix", socket.AF_UNIX, stream, f"{name}/unix"),
            ("datagram", socket.AF_UNIX, datagram, f"{name}/datagram"),
            ("abstract", socket.AF_UNIX, datagram, f"\0bait-{os.getpid()}-{name}"),
        ):
            heard = opened.enter_context(socket.socket(family, how))
            heard.bind(address)
            heard.setblocking(False)
            if how == stream:
                heard.listen()
            made.sockets[kind] = heard
        for kind in ("unix", "datagram"):
            (made.folder / kind).chmod(0o777)
        yield made


class Suite:
    """The zygote of one level, which all programs share."""

    def __init__(self, level: Level) -> None:
        self.level = level
        self._pool = Pool(LIMITS)
        self._pool._level = level  # the strictest would be chosen else
        self._prelude = (PROGRAMS / "prelude.py").read_text("utf-8")

    def close(self) -> None:
        self._pool.close()

    def complaints(self, program: Program) -> list[str]:
        """Run a program; return what did not hold."""
        began, before = time.monotonic(), self._pool.zygote()
        wall_s = float(program.header.get("wall", LIMITS.wall_s))
        self._pool.sandbox = LIMITS.model_copy(update={"wall_s": wall_s})
        with bait() as laid_out:
            for run in program.runs[:-1]:
                self._run(run, laid_out, calls="")
            result, stdout = self._run(
                program.runs[-1], laid_out, calls=program.header.get("calls", "")
            )
            found = [*laid_out.harm(), *re.findall(r"^ESCAPED .*", stdout, re.MULTILINE)]
        if _SECRET in f"{stdout}{result}":
            found.append("the secret was read")
        if not _is_expected(result, stdout, program.expected):
            found.append(f"wanted {program.header['expect']}, found {result} {stdout[-300:]!r}")
        if (took := time.monotonic() - began) > _LONGEST_S * len(program.runs):
            found.append(f"it took {took:.0f} s")
        return [*found, *self._changes(before)]

    def _run(self, code: str, laid_out: Bait, *, calls: str) -> tuple[Result, str]:
        code = self._prelude + code
        if calls:
            return calling.call(self._pool, code, calls, [Call()]).results[0], ""
        ran = calling.run(self._pool, code, laid_out.given())
        return ran.results[0], ran.stdout

    def _changes(self, before: object) -> Iterator[str]:
        if self._pool.zygote() is not before:
            yield "the zygote was lost"
        self._pool.sandbox = LIMITS
        after = calling.run(self._pool, _HONEST, "")
        if after.stdout != _AS_EVER:
            yield f"the next program found {after.stdout!r} {after.results[0]}"


def _is_expected(result: Result, stdout: str, expected: list[str]) -> bool:
    if result.outcome == "returned" and "contained" in expected:
        return stdout.endswith("contained\n")
    return result.outcome in expected


def main(level: Level) -> None:
    """Run all programs and print the complaints of each, as JSON."""
    suite = Suite(level)
    found = {program.name: suite.complaints(program) for program in programs()}
    sys.stdout.write(json.dumps(found))
    suite.close()


if __name__ == "__main__":
    main(cast("Level", sys.argv[1]))
