"""What is left when programs have run, a sandbox is closed, or its owner is killed: nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from synth import Sandbox
from synth.sandbox import calling
from synth.sandbox.launch import Level
from synth.sandbox.levels import Pool
from tests.sandbox.ordinary import PROJECT

LEVELS: tuple[Level, ...] = ("ns", "lsm")
SANDBOX = Sandbox(cpu_s=1, wall_s=0.3, memory_mb=256, output_kb=16)
# One for ever running in a process that is killed, which tells when the loop runs.
IN_A_LOOP = """
import sys
from synth import Sandbox
from synth.sandbox import calling
from synth.sandbox.levels import Pool

pool = Pool(Sandbox(cpu_s=60, wall_s=60))
pool._level = sys.argv[1]
pool.zygote()
print("warm", flush=True)
calling.run(pool, "while True:\\n    pass", "")
"""
PROGRAMS = (
    "print(1)",
    "import os\nopen('left', 'w').write('x')\nos.execv('/bin/true', ['true'])",
    "raise SystemExit(3)",
    "import os\nos._exit(5)",
    "print('x' * 100_000)",
    "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
)
SLEEPS = "import time\ntime.sleep(60)"


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the folder for temporary files, which nobody else uses now."""
    # Not pytest's, which only its owner reaches: programs run as another user.
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o1777)
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


@pytest.fixture(params=LEVELS)
def pool(request: pytest.FixtureRequest, folder: Path) -> Iterator[Pool]:
    made = Pool(SANDBOX)
    made._level = request.param
    yield made
    made.close()


def parents() -> dict[int, tuple[int, str]]:
    """Return the parent and the state of each process."""
    found: dict[int, tuple[int, str]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                found[int(entry.name)] = (int(parent), state)
    return found


def below(pid: int) -> set[int]:
    """Return the processes that a process has started, and those that these have."""
    found = parents()
    below: set[int] = {pid}
    while more := {one for one, (parent, _) in found.items() if parent in below} - below:
        below |= more
    return below - {pid}


def zombies() -> list[int]:
    return [
        pid for pid, (parent, state) in parents().items() if parent == os.getpid() and state == "Z"
    ]


def descriptors() -> int:
    """Return how many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def seconds_until_gone(pids: set[int], *, at_most: float) -> float:
    """Return how long it takes until processes are gone, zombies of others not counted."""
    began = time.monotonic()
    while left := {pid for pid, (_, state) in parents().items() if pid in pids and state != "Z"}:
        if time.monotonic() - began > at_most:
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            pytest.fail(f"still there after {at_most} s: {left}")
        time.sleep(0.05)
    return time.monotonic() - began


def test_many_runs_leave_nothing_behind(pool: Pool, folder: Path):
    calling.run(pool, "print(1)", "")
    zygote, children, opened = pool.zygote(), below(os.getpid()), descriptors()
    folders = sorted(folder.iterdir())

    for number in range(200):
        code = SLEEPS if number % 60 == 30 else PROGRAMS[number % len(PROGRAMS)]
        calling.run(pool, code, "some input")

    assert pool.zygote() is zygote
    assert descriptors() == opened
    assert zombies() == []
    assert len(below(os.getpid())) == len(children)
    assert sorted(folder.iterdir()) == folders


def test_a_closed_pool_leaves_nothing_behind(pool: Pool, folder: Path):
    opened = descriptors()
    before = below(os.getpid())
    calling.run(pool, "print(1)", "")
    calling.run(pool, SLEEPS, "")
    started = below(os.getpid()) - before

    pool.close()

    assert started
    seconds_until_gone(started, at_most=5)
    assert zombies() == []
    assert descriptors() == opened
    assert list(folder.iterdir()) == []


def test_a_hung_zygote_is_replaced_and_leaves_nothing_behind(pool: Pool, folder: Path):
    before = below(os.getpid())
    calling.run(pool, "print(1)", "")
    started = below(os.getpid()) - before
    for pid in started:
        os.kill(pid, signal.SIGSTOP)

    pool.zygote().kill()

    seconds_until_gone(started, at_most=5)
    assert calling.run(pool, "print(2)", "").stdout == "2\n"
    pool.close()
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("level", LEVELS)
def test_killing_whoever_runs_it_ends_a_program_within_ten_seconds(level: Level, folder: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", IN_A_LOOP, level],
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"warm\n"
        time.sleep(0.2)
        started = below(process.pid)

        process.kill()
        process.wait()

    assert len(started) >= 2
    seconds_until_gone(started, at_most=10)
    assert list(folder.iterdir()) == []
