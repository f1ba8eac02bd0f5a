"""Stands in for docker where none runs: `run` by bubblewrap, which inherits nothing either.

It shows that the zygote comes to its socket in a container, that programs run there and are kept
in, and what is told when an engine refuses. That the options mean to a real engine what they should
it does not show.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from synth.sandbox import bubblewrap
from synth.sandbox.interpreter import interpreter, links

ASKED = sys.argv[1:]


def value(option: str) -> str:
    return ASKED[ASKED.index(option) + 1]


def run() -> None:
    found = bubblewrap.find()
    assert found is not None
    assert ASKED[ASKED.index("--pull") + 1] == "never"
    assert value("--network") == "none"
    program = ASKED[ASKED.index("python3") + 1 :]
    folder, _, at = value("--volume").partition(":")
    python = interpreter()
    command = [found.path, "--unshare-all", "--clearenv", "--setenv", "PYTHONHASHSEED", "0"]
    command += ["--cap-drop", "ALL", "--uid", value("--user").partition(":")[0]]
    for target, path in links():
        command += ["--symlink", target, path]
    for file in python.files:
        command += ["--ro-bind", file, file]
    command += ["--proc", "/proc", "--dev", "/dev", "--bind", folder, at]
    command += ["--tmpfs", value("--tmpfs").partition(":")[0], "--remount-ro", "/"]
    for fd in found.fds:
        os.set_inheritable(fd, True)
    command += ["--", python.executable, *program]
    os.execve(found.path, command, found.variables)  # noqa: S606 (as an engine does)


if ASKED[:2] == ["image", "inspect"]:
    if ASKED[2] != "here:1":
        sys.exit(f"Error: No such image: {ASKED[2]}")
elif ASKED[0] == "run":
    if Path(__file__).with_name("broken").exists():
        sys.exit("docker: Error response from daemon: it is broken.")
    run()
