"""The process that all runs of one sandbox are forked from: warm, and never near a payload.

It takes orders on its control socket: limits, as JSON, with the file descriptors that the child is
to have. Payloads pass by it unread, so nothing of one program reaches the next. With namespaces,
the child is the first process of a pid namespace: what it leaves behind dies with it.
"""

from __future__ import annotations

import array
import gc
import json
import os
import select
import shutil
import signal
import socket
import time
from typing import Any

from synth.sandbox.inside import jail, modes

_FDS = 6
"""Standard input, output and error, payload, results, channel: what a child's 0 to 5 become."""
_ABOVE = 64
_LOOK_AT_SCRATCH_MS = 50
_MOST_ENTRIES = 2048
_INFRASTRUCTURE = 97
KILL = b"K"
READY = b"R"


class Zygote:
    """One control socket, one child at a time."""

    def __init__(self, control: socket.socket, setting: dict[str, Any]) -> None:
        self._control = control
        self._level: str = setting["level"]
        self._setting = setting
        self._namespaced = self._level == "ns"
        self._own = os.pidfd_open(os.getpid()) if self._namespaced else -1

    def serve(self) -> None:
        """Run what is ordered until the control socket ends."""
        while True:
            order, fds = self._received()
            if not order:
                return
            if order != KILL:  # else it came too late: that child has ended
                self._control.sendall(json.dumps(self._run(json.loads(order), fds)).encode())

    def _received(self) -> tuple[bytes, list[int]]:
        fds = array.array("i")
        order, ancillary, _, _ = self._control.recvmsg(65536, socket.CMSG_SPACE(4 * _FDS))
        for _, _, data in ancillary:
            fds.frombytes(data[: len(data) - len(data) % 4])
        return order, list(fds)

    def _run(self, limits: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        if self._namespaced:
            # Back to where this process is, then one below: each child begins a pid namespace.
            jail.check(jail.libc.setns(self._own, jail.CLONE_NEWPID), "its own pid namespace")
            jail.check(jail.libc.unshare(jail.CLONE_NEWPID), "a pid namespace")
        else:
            self._clear_scratch()
        started = time.monotonic()
        pid = os.fork()
        if pid == 0:
            self._be_child(limits, fds)
        for fd in fds:
            os.close(fd)
        why = self._wait(pid, started + limits["wall"], limits["scratch"])
        if self._level == "none":
            _kill(pid, group=True)
        _, status, used = os.wait4(pid, 0)
        if not self._namespaced:
            self._clear_scratch()
        return {
            "why": why,
            "status": status,
            "cpu": used.ru_utime + used.ru_stime,
            "peak_kb": used.ru_maxrss,
            "wall": time.monotonic() - started,
        }

    def _wait(self, pid: int, deadline: float, quota: int) -> str:
        """Wait for a child's end; return how it came: exit, timeout, killed or scratch."""
        ended = os.pidfd_open(pid)
        waiting = select.poll()
        waiting.register(ended, select.POLLIN)
        waiting.register(self._control, select.POLLIN)
        try:
            while True:
                left_ms = max(0.0, (deadline - time.monotonic()) * 1000)
                pause = left_ms if self._namespaced else min(left_ms, _LOOK_AT_SCRATCH_MS)
                events = dict(waiting.poll(pause))
                if ended in events:
                    return "exit"
                why = self._wants_end(events, left_ms, quota)
                if why:
                    _kill(pid, group=self._level == "none")
                    return why
        finally:
            os.close(ended)

    def _wants_end(self, events: dict[int, int], left_ms: float, quota: int) -> str:
        if self._control.fileno() in events:
            self._control.recv(16)  # an order to kill, or the end of whom it serves
            return "killed"
        if not events and left_ms == 0.0:
            return "timeout"
        return "scratch" if not self._namespaced and self._scratch_is_full(quota) else ""

    def _scratch_is_full(self, quota: int) -> bool:
        size = entries = 0
        for folder, folders, files in os.walk(self._setting["scratch"]):
            entries += len(folders) + len(files)
            size += sum(_size(f"{folder}/{name}") for name in files[:_MOST_ENTRIES])
            if size > quota or entries > _MOST_ENTRIES:
                return True
        return False

    def _clear_scratch(self) -> None:
        for entry in os.scandir(self._setting["scratch"]):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)  # noqa: PTH108 (without pathlib)

    def _be_child(self, limits: dict[str, Any], fds: list[int]) -> None:
        code = _INFRASTRUCTURE
        try:
            self._give_up(limits, fds)
            code = modes.run(limits["mode"], limits.get("command"))
        except jail.JailError as error:
            os.write(2, f"sandbox: {error}\n".encode())
        except BaseException:  # noqa: BLE001 (no way back into the zygote's loop, whatever happens)
            code = modes.BROKEN
        finally:
            os._exit(code)

    def _give_up(self, limits: dict[str, Any], fds: list[int]) -> None:
        """Lose all but the six descriptors and what the level leaves."""
        scratch: str = self._setting["scratch"]
        if self._level == "none":
            os.setsid()
        if self._namespaced:
            jail.mount_scratch(scratch, limits["scratch"])
        os.chdir(scratch)
        _place(fds)
        jail.limit_resources(limits)
        if self._level == "none":
            return
        if self._setting["landlock"]:
            jail.landlock(self._setting["readable"], [scratch], self._setting["devices"])
        jail.drop_capabilities(reads=self._setting["reads_all"])
        program = bytes.fromhex(self._setting["filter"])
        jail.filter_system_calls(program.replace(_OWN_PID, os.getpid().to_bytes(4, "little")))


_OWN_PID = (0x7FFFFF01).to_bytes(4, "little")
"""Where the filter has this number it wants the process's own id."""


def _place(fds: list[int]) -> None:
    """Make the received descriptors 0 to 5 and close all others."""
    import fcntl

    above = [fcntl.fcntl(fd, fcntl.F_DUPFD, _ABOVE) for fd in fds]
    for number, fd in enumerate(above):
        os.dup2(fd, number)
    os.closerange(_FDS, 65536)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0  # it was deleted meanwhile


def _kill(pid: int, *, group: bool) -> None:
    try:
        if group:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        if group:
            os.kill(pid, signal.SIGKILL)


def main(control_fd: int, setting: dict[str, Any]) -> None:
    """Warm up, say that it is ready, and serve."""
    control = socket.socket(fileno=control_fd)
    modes.warm_up(setting["preload"])
    gc.disable()
    gc.collect()
    gc.freeze()
    control.sendall(READY)
    Zygote(control, setting).serve()
