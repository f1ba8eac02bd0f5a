"""The command that runs a zygote in a container: docker or podman, an image that is there already.

The zygote connects to a socket in a folder that the container shares with the host, and gets each
program's descriptors over it, as at the other levels. That wants one kernel on both sides: an
engine that hides a virtual machine, as on macOS, passes no socket, and is told so. No image is ever
pulled: nothing leaves the machine that nobody asked for.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

from synth.errors import SandboxUnavailable

ENGINES = ("docker", "podman")
SCRATCH = "/scratch"
CONTROL = "/control"
_NOBODY = "65534:65534"
_ANSWER_S = 20.0
_OUR_PROCESSES = 8
_TIMES_THE_MEMORY = 3  # the zygote, the program, the next one


def find(image: str) -> str:
    """Return the path of an engine that answers and has the image. Raises SandboxUnavailable."""
    failed: list[str] = []
    for name in ENGINES:
        engine = shutil.which(name)
        if engine is None:
            failed.append(f"{name} is not installed")
        elif (wrong := _wrong(engine, image)) is None:
            return engine
        else:
            failed.append(f"{name}: {wrong}")
    raise SandboxUnavailable("; ".join(failed))


def _wrong(engine: str, image: str) -> str | None:
    try:
        asked = subprocess.run(  # noqa: S603 (found on the PATH)
            [engine, "image", "inspect", image],
            capture_output=True,
            timeout=_ANSWER_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if asked.returncode == 0:
        return None
    told = asked.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return f"{told} (`{engine} pull {image}` once, if it is the image that is missing)"


def arguments(image: str, folder: str, limits: Mapping[str, Any]) -> list[str]:
    """Return the engine's arguments, up to the program; `folder` is where the socket lies."""
    return [
        *("run", "--rm", "--interactive", "--pull", "never"),
        *("--network", "none", "--read-only", "--cap-drop", "ALL"),
        *("--security-opt", "no-new-privileges", "--user", _NOBODY),
        *("--pids-limit", str(limits["threads"] + _OUR_PROCESSES)),
        *("--memory", str(_TIMES_THE_MEMORY * limits["memory"])),
        *("--tmpfs", f"{SCRATCH}:rw,nosuid,nodev,size={limits['scratch']},mode=1777"),
        *("--volume", f"{folder}:{CONTROL}"),
        *("--env", "PYTHONHASHSEED=0", image),
    ]
