"""A zygote as the outside sees it: started, given programs to fork for, watched, replaced.

The outside never waits for a program alone: it reads what comes, up to each pipe's limit, until the
zygote tells the end; a zygote that does not within some seconds of the wall limit is killed.
"""

from __future__ import annotations

import array
import json
import os
import select
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Self

from synth.errors import SandboxUnavailable
from synth.sandbox.inside.zygote import KILL, READY
from synth.sandbox.launch import Launch, Wanted, launch
from synth.sandbox.memory_file import sealed
from synth.sandbox.runs import Ended, LostError, Run

_START_S = 60.0
_GRACE_S = 5.0
_END_S = 2.0
_LOOK_S = 0.2
_RUNS_BEFORE_A_NEW_ONE = 5000
_PART = 1 << 16
_LEFT: Mapping[str, Any] = {"why": "exit", "status": 0, "cpu": 0.0, "peak_kb": 0, "wall": 0.0}


class SandboxProcess:
    """One zygote; it runs one program at a time."""

    def __init__(
        self, process: subprocess.Popen[bytes], control: socket.socket, made: Launch
    ) -> None:
        self._process = process
        self._control = control
        self._launch = made
        self._runs = 0
        self._run: Run | None = None
        self._pipes: dict[int, str] = {}
        self._written: dict[str, bytearray] = {}
        self._over = ""
        self._deadline = 0.0
        self._leaving = False
        """Whether a program was left that has not ended for sure."""

    @classmethod
    def start(cls, wanted: Wanted) -> Self:
        """Start one and wait until it is warm. Raises SandboxUnavailable."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, tempfile.TemporaryFile() as errors:
            made: Launch | None = None
            try:
                made = launch(wanted, theirs.fileno())
                if made.listens:
                    ours, process = _connected(made, ours, theirs, errors)
                else:
                    process = _started(made, theirs, errors)
                theirs.close()  # its end is then seen as the end of the socket
                started = cls(process, ours, made)
                started._wait_until_warm(errors)
            except BaseException:
                ours.close()
                if made is not None:
                    made.close()
                raise
        return started

    def _wait_until_warm(self, errors: IO[bytes]) -> None:
        self._control.settimeout(_START_S)
        try:
            said = self._control.recv(len(READY))
        except (TimeoutError, ConnectionError):
            said = b""
        if said == READY:
            return
        self.kill()
        errors.seek(0)
        told = errors.read().decode(errors="replace").strip()
        last = told.rpartition("\n")[2] or f"it ended with code {self._process.returncode}"
        raise SandboxUnavailable(last)

    @property
    def fresh(self) -> bool:
        """Whether it lives and has not run so many programs that a new one is due."""
        return self._process.poll() is None and self._runs < _RUNS_BEFORE_A_NEW_ONE

    def begin(self, run: Run) -> None:
        """Have a program forked; `finish` tells what became of it. Raises LostError."""
        self._settle()
        self._runs += 1
        self._run, self._over = run, ""
        self._deadline = time.monotonic() + run.limits["wall"] + _GRACE_S
        self._written = {name: bytearray() for name in run.room}
        given = [sealed(run.stdin), self._pipe("stdout"), self._pipe("stderr")]
        given += [sealed(run.payload), self._pipe("results")]
        given.append(os.open(os.devnull, os.O_RDONLY) if run.channel is None else run.channel)
        command = [*run.command, run.mode] if run.command else None
        asked = {name: run.limits[name] for name in ("cpu", "wall")}
        order = json.dumps({"mode": run.mode, "command": command, **asked}).encode()
        passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", given))]
        try:
            self._control.sendmsg([order], passed)
        except OSError as error:
            self._forget()
            raise LostError(str(error)) from error
        finally:
            for fd in given:
                os.close(fd)

    def _pipe(self, name: str) -> int:
        if self._run is None or name not in self._run.room:
            return os.open(os.devnull, os.O_WRONLY)
        ours, theirs = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(ours, False)
        self._pipes[ours] = name
        return theirs

    def end(self) -> None:
        """Have the program killed; `finish` still tells how it ended."""
        with suppress(OSError):
            self._control.send(KILL)

    def leave(self) -> None:
        """Have the program killed; nobody wants to know how it ended."""
        self.end()
        self._leaving = True
        self._forget()

    def _settle(self) -> None:
        """Wait for the end of a program that was left. Raises LostError."""
        if self._leaving:
            self._leaving = False
            self._control.settimeout(_GRACE_S)
            self._told()

    def finish(self, beside: SandboxProcess | None = None) -> Ended:
        """Read what the program writes until its end, and what another one writes meanwhile.

        Raises LostError.
        """
        try:
            return self._read_all([self, beside] if beside else [self])
        finally:
            self._forget()

    def _read_all(self, running: Sequence[SandboxProcess]) -> Ended:
        waiting = select.poll()
        readers = {fd: one for one in running for fd in one._pipes}
        for fd in (*readers, self._control.fileno()):
            waiting.register(fd, select.POLLIN)
        while True:
            events = waiting.poll(max(0.0, (self._deadline - time.monotonic()) * 1000))
            if not events:
                self.kill()
                raise LostError("the sandbox did not tell how a program ended")
            for fd, _ in events:
                if fd in readers and not readers[fd]._read(fd):
                    waiting.unregister(fd)
            if self._has_all():
                self._leaving = True
                return self._as(_LEFT)
            if any(fd == self._control.fileno() for fd, _ in events):
                return self._ended()

    def _read(self, fd: int) -> bool:
        """Read what is there; return whether there may be more."""
        name = self._pipes[fd]
        assert self._run is not None
        while True:
            try:
                part = os.read(fd, _PART)
            except BlockingIOError:
                return True
            self._written[name] += part
            if len(self._written[name]) > self._run.room[name]:
                self._over = self._over or name
                self.end()
                return False
            if len(part) < _PART:
                return bool(part)

    def _has_all(self) -> bool:
        assert self._run is not None
        return bool(self._run.last) and self._written["results"].endswith(self._run.last)

    def _ended(self) -> Ended:
        told = self._told()
        for fd in self._pipes:
            self._read(fd)
        return self._as(told)

    def _told(self) -> Mapping[str, Any]:
        try:
            return json.loads(self._control.recv(4096))
        except (OSError, ValueError) as error:
            self.kill()
            raise LostError("the sandbox ended while a program ran") from error

    def _as(self, told: Mapping[str, Any]) -> Ended:
        return Ended(
            why="output" if self._over else told["why"],
            status=told["status"],
            cpu_s=told["cpu"],
            peak_kb=told["peak_kb"],
            wall_s=told["wall"],
            written={name: bytes(written) for name, written in self._written.items()},
        )

    def _forget(self) -> None:
        for fd in self._pipes:
            os.close(fd)
        self._pipes = {}

    def kill(self) -> None:
        """End it at once, with all that it runs."""
        # The first process of a pid namespace is below bubblewrap and in a session of its own.
        for pid in _below(self._process.pid):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._control.close()
        self._launch.close()

    def close(self) -> None:
        """Let it end by itself: nobody orders any more."""
        self._control.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self.kill()
        self._launch.close()


def _started(made: Launch, control: socket.socket, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    sent = os.memfd_create("zygote")
    try:
        os.write(sent, made.sent())
        os.lseek(sent, 0, os.SEEK_SET)
        return subprocess.Popen(  # noqa: S603 (the command is our own)
            made.command,
            stdin=sent,
            stdout=errors,
            stderr=errors,
            env=made.variables,
            pass_fds=[control.fileno(), *made.fds],
            start_new_session=True,
        )
    except OSError as error:
        raise SandboxUnavailable(f"{made.command[0]!r} cannot be started: {error}") from error
    finally:
        os.close(sent)


def _below(pid: int) -> list[int]:
    """Return the processes that one has started."""
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _connected(
    made: Launch, ours: socket.socket, theirs: socket.socket, errors: IO[bytes]
) -> tuple[socket.socket, subprocess.Popen[bytes]]:
    """Start a zygote that cannot inherit a socket; return the one by which it comes to us."""
    ours.close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(made.listens)
        Path(made.listens).chmod(0o666)
        listening.listen(1)
        process = _started(made, theirs, errors)
        listening.settimeout(_LOOK_S)
        until = time.monotonic() + _START_S
        while process.poll() is None and time.monotonic() < until:
            with suppress(TimeoutError):
                return listening.accept()[0], process
    process.kill()
    process.wait()
    errors.seek(0)
    told = errors.read().decode(errors="replace").strip().rpartition("\n")[2]
    raise SandboxUnavailable(told or "the container did not come to its socket")
