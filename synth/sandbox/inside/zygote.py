"""The process that all runs of one sandbox are forked from: warm, and never near a payload.

It takes orders on its control socket, as JSON, with the file descriptors that the child is to have.
Payloads pass by it unread, so nothing of one program reaches the next. With namespaces, the child
is the first process of a pid namespace: what it leaves behind dies with it.
"""

from __future__ import annotations

import array
import fcntl
import gc
import json
import os
import select
import signal
import socket
import time
from contextlib import suppress
from typing import Any

from synth.sandbox.inside import jail, modes

_FDS = 6
"""Standard input, output and error, payload, results, channel: what a child's 0 to 5 become."""
_LINK = 3
_ABOVE = 40
_LOOK_AT_SCRATCH_MS = 50
_MOST_ENTRIES = 2048
_INFRASTRUCTURE = 97
KILL = b"K"
READY = b"R"


class Zygote:
    """One control socket, one program at a time; the child for the next one waits already."""

    def __init__(self, control: socket.socket, setting: dict[str, Any]) -> None:
        self._control = control
        self._level: str = setting["level"]
        self._setting = setting
        self._namespaced = self._level == "ns"
        self._own = os.pidfd_open(os.getpid()) if self._namespaced else -1
        self._next = self._forked(setting["limits"])

    def serve(self) -> None:
        """Run what is ordered until the control socket ends; leave nothing behind."""
        with suppress(ConnectionError):
            while True:
                order, fds = received(self._control)
                if not order:
                    break
                if order != KILL:  # else it came too late: that child has ended
                    self._control.sendall(json.dumps(self._run(json.loads(order), fds)).encode())
        self._next.end()
        if not self._namespaced:
            self._clear_scratch()
            with suppress(OSError):
                os.rmdir(self._setting["scratch"])  # noqa: PTH106 (without pathlib)

    def _forked(self, limits: dict[str, Any]) -> _Child:
        """Return a child that has given up all it must, and waits for its program."""
        if self._namespaced:
            # Back to where this process is, then one below: each child begins a pid namespace.
            jail.check(jail.libc.setns(self._own, jail.CLONE_NEWPID), "its own pid namespace")
            jail.check(jail.libc.unshare(jail.CLONE_NEWPID), "a pid namespace")
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        pid = os.fork()
        if pid == 0:
            self._be_child(limits, theirs)
        theirs.close()
        return _Child(pid, os.pidfd_open(pid), ours, limits["cpu"], self._level == "none")

    def _run(self, order: dict[str, Any], fds: list[int]) -> dict[str, Any]:
        limits = self._setting["limits"]
        if not self._namespaced:
            self._clear_scratch()
        if order["cpu"] != self._next.cpu:
            self._next.end()
            self._next = self._forked({**limits, "cpu": order["cpu"]})
        child, started = self._next, time.monotonic()
        child.give(order, fds)
        self._next = self._forked(limits)
        why = self._wait(child, started + order["wall"], limits["scratch"])
        status, used = child.reap()
        if not self._namespaced:
            self._clear_scratch()
        return {
            "why": why,
            "status": status,
            "cpu": used.ru_utime + used.ru_stime,
            "peak_kb": used.ru_maxrss,
            "wall": time.monotonic() - started,
        }

    def _wait(self, child: _Child, deadline: float, quota: int) -> str:
        """Wait for a child's end; return how it came: exit, timeout, killed or scratch."""
        waiting = select.poll()
        waiting.register(child.ended, select.POLLIN)
        waiting.register(self._control, select.POLLIN)
        while True:
            left_ms = max(0.0, (deadline - time.monotonic()) * 1000)
            pause = left_ms if self._namespaced else min(left_ms, _LOOK_AT_SCRATCH_MS)
            events = dict(waiting.poll(pause))
            if child.ended in events:
                return "exit"
            why = self._wants_end(events, left_ms, quota)
            if why:
                child.kill()
                return why

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
        import shutil  # only here, and large

        for entry in os.scandir(self._setting["scratch"]):
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                os.unlink(entry.path)  # noqa: PTH108 (without pathlib)

    def _be_child(self, limits: dict[str, Any], link: socket.socket) -> None:
        code, failed = _INFRASTRUCTURE, ""
        try:
            link = _alone_with(link)
            try:
                self._give_up(limits)
            except (jail.JailError, OSError) as error:
                failed = f"sandbox: {error}\n"
            order, fds = received(link)
            if order:
                _place(fds)
                asked = json.loads(order)
                code = _told(failed) if failed else modes.run(asked["mode"], asked["command"])
        except BaseException:  # noqa: BLE001 (no way back into the zygote's loop, whatever happens)
            code = modes.BROKEN
        finally:
            os._exit(code)

    def _give_up(self, limits: dict[str, Any]) -> None:
        """Lose what the level takes."""
        scratch: str = self._setting["scratch"]
        if self._level == "none":
            os.setsid()
        if self._namespaced:
            jail.mount_scratch(scratch, limits["scratch"])
        os.chdir(scratch)
        jail.limit_resources(limits)
        if self._level == "none":
            return
        landlock = self._setting["landlock"]
        if landlock is True or (landlock and jail.landlock_abi()):
            reachable = self._setting["readable"], scratch, self._setting["devices"]
            jail.landlock(*reachable, flat=self._level == "lsm")
        jail.drop_capabilities(reads=self._setting["reads_all"])
        program = bytes.fromhex(self._setting["filter"])
        jail.filter_system_calls(program.replace(_OWN_PID, os.getpid().to_bytes(4, "little")))


_OWN_PID = (0x7FFFFF01).to_bytes(4, "little")
"""Where the filter has this number it wants the process's own id."""


class _Child:
    """A child that waits for its program, or runs it."""

    def __init__(self, pid: int, ended: int, link: socket.socket, cpu: int, group: bool) -> None:
        self.ended = ended
        """Readable when it has ended."""
        self.cpu = cpu
        self._pid = pid
        self._link = link
        self._group = group

    def give(self, order: dict[str, Any], fds: list[int]) -> None:
        """Let it run a program with these descriptors, which are closed here."""
        passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
        with suppress(OSError):  # it may have ended, which is what its run then comes to
            self._link.sendmsg([json.dumps(order).encode()], passed)
        for fd in fds:
            os.close(fd)
        self._link.close()

    def kill(self) -> None:
        """End it at once, and its group where it leads one."""
        if self._group:
            with suppress(ProcessLookupError, PermissionError):  # it may lead none yet
                os.killpg(self._pid, signal.SIGKILL)
        os.kill(self._pid, signal.SIGKILL)

    def reap(self) -> tuple[int, Any]:
        """Return its status and what it used, once it has ended."""
        if self._group:
            self.kill()
        _, status, used = os.wait4(self._pid, 0)
        os.close(self.ended)
        return status, used

    def end(self) -> None:
        """End it unused."""
        self._link.close()
        self.kill()
        self.reap()


def received(link: socket.socket) -> tuple[bytes, list[int]]:
    """Return a message with the descriptors that came with it; an empty one at the end."""
    fds = array.array("i")
    message, ancillary, _, _ = link.recvmsg(65536, socket.CMSG_SPACE(4 * _FDS))
    for _, _, data in ancillary:
        fds.frombytes(data[: len(data) - len(data) % 4])
    return message, list(fds)


def _alone_with(link: socket.socket) -> socket.socket:
    """Close all descriptors but the standard ones and a socket, and return that."""
    os.dup2(link.detach(), _LINK)
    os.closerange(_LINK + 1, 65536)
    return socket.socket(fileno=_LINK)


def _place(fds: list[int]) -> None:
    """Make the received descriptors 0 to 5 and close all others."""
    above = [fcntl.fcntl(fd, fcntl.F_DUPFD, _ABOVE) for fd in fds]
    for number, fd in enumerate(above):
        os.dup2(fd, number)
    os.closerange(_FDS, _ABOVE + 2 * _FDS)


def _told(failed: str) -> int:
    os.write(2, failed.encode())
    return _INFRASTRUCTURE


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0  # it was deleted meanwhile


def main(control: int | str, setting: dict[str, Any]) -> None:
    """Warm up, say that it is ready on a socket that it has or finds, and serve."""
    link = _found(control)
    modes.warm_up(setting["preload"], tests=setting["tests"])
    gc.disable()
    gc.collect()
    gc.freeze()
    link.sendall(READY)
    Zygote(link, setting).serve()


def _found(control: int | str) -> socket.socket:
    if isinstance(control, int):
        return socket.socket(fileno=control)
    link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    link.connect(control)
    return link
