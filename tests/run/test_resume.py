"""Runs that are killed, stopped or let down by the world, and those that go on after them."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from synth.errors import EngineDown, StorageError
from tests.run.conftest import Project, answer, gone, unasked

SCRIPT = Path(__file__).with_name("resumable.py")
STAGES: list[Any] = [
    {"respond": {"engine": "teacher", "n": 2}},
    {"verify": {"verifiers": ["repetition", "./odd_verifiers.py:Seen"]}},
]


def started(project: Project, delay_s: float, seed: int = 0) -> subprocess.Popen[bytes]:
    """Start a run in a process group of its own."""
    command = [sys.executable, str(SCRIPT), str(project.folder), str(delay_s), str(seed)]
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.DEVNULL)


def calls(project: Project, what: str) -> Counter[str]:
    """Count the calls that were asked (`+`) or answered (`-`) so far."""
    log = project.folder / "calls.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return Counter(line[1:] for line in lines if line[0] == what)


def wait_for_calls(project: Project, run: subprocess.Popen[bytes], count: int) -> None:
    while calls(project, "-").total() < count:
        assert run.poll() is None
        time.sleep(0.01)


def kept(project: Project) -> int:
    store = sqlite3.connect(project.folder / "run" / "store.sqlite")
    found = store.execute("SELECT count(*) FROM calls").fetchone()[0]
    store.close()
    return found


def test_a_run_that_was_killed_thrice_ends_as_one_that_was_not(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYNTH_TEST", str(project.folder))
    project.write(STAGES, seeds=100)
    project.run(answer, "undisturbed")
    drawn = random.Random(11)

    for kill in range(3):
        run = started(project, 0.02, kill)
        before = calls(project, "-").total()
        wait_for_calls(project, run, before + drawn.randrange(5, 50))
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
        assert gone(f"SYNTH_TEST={project.folder}")
    assert started(project, 0.001).wait() == 0

    asked = calls(project, "+")
    repeated = asked.total() - len(asked)
    assert project.made() == project.made("undisturbed")
    assert len(asked) == 200
    # Eight are in flight; what was answered in the last moment may wait for its commit.
    assert repeated <= 3 * (8 + 64)


def test_a_first_interrupt_lets_what_is_in_flight_end_and_keeps_it(project: Project) -> None:
    project.write(STAGES, seeds=60)
    run = started(project, 0.05)
    wait_for_calls(project, run, 20)

    run.send_signal(signal.SIGINT)
    begun = calls(project, "+").total()

    assert run.wait() == 130
    asked, answered = calls(project, "+"), calls(project, "-")
    assert asked == answered
    assert asked.total() <= begun + 8
    assert kept(project) == len(answered) < 120
    assert not list((project.folder / "run" / "stages").glob("*respond*"))
    assert started(project, 0.001).wait() == 0
    assert set(calls(project, "+").values()) == {1}


def test_a_second_interrupt_stops_at_once(project: Project) -> None:
    project.write(STAGES, seeds=20)
    run = started(project, 1000)
    while calls(project, "+").total() < 8:
        time.sleep(0.01)

    run.send_signal(signal.SIGINT)
    time.sleep(0.1)
    assert run.poll() is None
    run.send_signal(signal.SIGINT)

    assert run.wait(10) == 130


def test_an_outage_leaves_nothing_that_looks_whole_and_the_next_run_asks_the_rest(
    project: Project,
) -> None:
    project.write(STAGES, seeds=20)
    asked: list[str] = []

    def failing(prompt: Any, _: Any, origin: Any) -> str:
        if len(asked) == 15:
            raise EngineDown("nobody is there")
        asked.append(f"{origin.record_id} {origin.sample}")
        return answer(prompt)

    with pytest.raises(EngineDown):
        project.run(failing, at_once=1)
    left = {file.name for file in (project.folder / "run" / "stages").iterdir()}
    first = len(asked)
    asked += [""]  # the server is back

    assert project.run(failing, at_once=1).exit_code == 0
    assert first == 15
    assert left <= {"00-seeds.parquet"}
    assert len(set(asked)) == len(asked) == 41


@pytest.mark.parametrize("part", ["its end", "its middle"])
def test_a_damaged_stage_file_is_made_again_from_stored_calls(project: Project, part: str) -> None:
    project.write(STAGES, seeds=10)
    project.run(answer)
    made = project.made()
    file = project.file("respond")
    content = bytearray(file.read_bytes())
    if part == "its end":
        del content[-20:]
    else:
        content[8 : len(content) // 3] = b"\xff" * (len(content) // 3 - 8)
    file.write_bytes(content)

    project.run(unasked)

    assert project.made() == made


def test_a_damaged_store_is_named_with_what_to_do(project: Project) -> None:
    project.write(STAGES, seeds=5)
    project.run(answer)
    (project.folder / "run" / "store.sqlite").write_bytes(b"garbage" * 999)
    project.file("verify").unlink()

    with pytest.raises(StorageError, match="Move it away and run again"):
        project.run(answer)


def test_what_a_killed_run_left_half_written_is_removed(project: Project) -> None:
    project.write(STAGES, seeds=5)
    project.run(answer)
    made = project.made()
    stages = project.folder / "run" / "stages"
    project.file("verify").rename(stages / "02-verify.parquet.part")
    (stages / "02-verify.spool").write_bytes(b"half")
    (project.folder / "run" / "dataset.duckdb").unlink()

    project.run(unasked)

    assert project.made() == made
    assert (project.folder / "run" / "dataset.duckdb").is_file()


@pytest.fixture
def small_disk(tmp_path: Path) -> Any:
    """Mount a disk of eight megabytes; only root may."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs rights that this process lacks")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_on_a_full_disk_the_run_stops_and_goes_on_after_room_is_made(
    project: Project, small_disk: Path
) -> None:
    project.write([{"respond": {"engine": "teacher"}}], seeds=12)
    into = str(small_disk / "run")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"\1" * 8_200_000)

    def long(prompt: Any, *_: Any) -> str:
        drawn = random.Random(answer(prompt))
        return f"{answer(prompt)} {drawn.randbytes(4000).hex()}"

    with pytest.raises(StorageError):
        project.run(long, into)
    assert not list((small_disk / "run" / "stages").glob("*respond*.parquet"))
    ballast.unlink()

    assert project.run(long, into).exit_code == 0
    assert len(project.records("respond", into)) == 24
