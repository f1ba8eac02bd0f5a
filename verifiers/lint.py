"""What ruff says about programs: one process for many, and nothing of this machine in the answer.

Ruff (Astral) is the package `ruff`, asked without configuration; `# noqa` in the code is no excuse.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

INSTALL = "checking code with ruff needs ruff: run `pip install 'expertsynth[code]'`"
_FILES_A_PROCESS = 200
_SECONDS = 60


class Complaint(NamedTuple):
    """One thing that ruff found."""

    rule: str
    """Its code, such as `F821`; `invalid-syntax` where ruff, unlike Python, cannot read it."""
    line: int
    """From 1."""
    message: str


def refused_rules(rules: Sequence[str]) -> str:
    """Return why ruff cannot check these rules, and what to do; empty if it can."""
    if importlib.util.find_spec("ruff") is None:
        return INSTALL
    asked = _asked(["-"], rules, stdin="")
    return "" if asked.returncode in {0, 1} else asked.stderr.strip()


def lint(sources: Sequence[str], rules: Sequence[str]) -> list[list[Complaint]]:
    """Return for each program the complaints under these rules, in the order of its lines.

    Raises RuntimeError where ruff itself breaks.
    """
    found: list[list[Complaint]] = []
    for start in range(0, len(sources), _FILES_A_PROCESS):
        found += _linted(sources[start : start + _FILES_A_PROCESS], rules)
    return found


def _linted(sources: Sequence[str], rules: Sequence[str]) -> list[list[Complaint]]:
    names = [f"code_{number}.py" for number in range(len(sources))]
    with TemporaryDirectory(prefix="synth-lint-") as folder:
        for name, source in zip(names, sources, strict=True):
            (Path(folder) / name).write_bytes(source.encode())
        asked = _asked(names, rules, folder=folder)
    if asked.returncode not in {0, 1}:
        raise RuntimeError(f"ruff ended with {asked.returncode}: {asked.stderr.strip()[:500]}")
    found: dict[str, list[Complaint]] = {name: [] for name in names}
    for said in json.loads(asked.stdout):
        found[Path(said["filename"]).name].append(_complaint(said))
    return [sorted(found[name], key=lambda one: (one.line, one.rule)) for name in names]


def _asked(
    files: Sequence[str], rules: Sequence[str], *, folder: str | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    # Loaded by name: the package is an extra.
    ruff: str = importlib.import_module("ruff").find_ruff_bin()
    version = f"py{sys.version_info.major}{sys.version_info.minor}"
    quiet = ["--isolated", "--no-cache", "--ignore-noqa", "--output-format", "json", "--quiet"]
    asked = [ruff, "check", *quiet, "--target-version", version, "--select", ",".join(rules)]
    return subprocess.run(  # noqa: S603 (code is a file's content, never an argument)
        [*asked, "--", *files],
        cwd=folder,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=_SECONDS,
        env={"RAYON_NUM_THREADS": "2"},
        check=False,
    )


def _complaint(said: dict[str, Any]) -> Complaint:
    return Complaint(said["code"] or "invalid-syntax", said["location"]["row"], said["message"])
