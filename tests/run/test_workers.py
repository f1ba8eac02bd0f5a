"""Worker processes: whatever a verifier does, it hurts one record and leaves no process."""
# pyright: reportPrivateUsage=false

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from synth.errors import PluginError
from synth.plugins import VerifierSpec
from synth.record import Record
from synth.run.process import Limits
from synth.run.workers import Judged, OrderedWorker, Patience, Workers
from tests.run.conftest import gone, processes, record

HERE = str(Path(__file__).parent)
ODD = VerifierSpec("./odd_verifiers.py:Odd", "{}", HERE)
SEEN = VerifierSpec("./odd_verifiers.py:Seen", "{}", HERE)
LIMITS = Limits(timeout_s=30, memory_mb=512)
HANGING = """
import asyncio
from synth.plugins import VerifierSpec
from synth.record import Record
from synth.run.process import Limits
from synth.run.workers import Workers
spec = VerifierSpec("./odd_verifiers.py:Odd", "{}", %r)
workers = Workers(1, Limits(timeout_s=600))
asyncio.run(workers.judge(spec, [Record.seed({"text": "hang"})]))
"""


@pytest.fixture(autouse=True)
def mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Mark this test's processes, and see in the end that none is left."""
    found = f"SYNTH_TEST={tmp_path}"
    monkeypatch.setenv("SYNTH_TEST", str(tmp_path))
    yield found
    assert gone(found)


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    made = Workers(1, LIMITS)
    yield made
    await made.close()


@pytest.fixture
async def ordered(tmp_path: Path) -> AsyncIterator[OrderedWorker]:
    made = OrderedWorker(SEEN, LIMITS, tmp_path)
    yield made
    await made.close()


def told(*texts: str) -> list[Record]:
    return [record(text, number) for number, text in enumerate(texts)]


def shown(judged: list[Judged]) -> list[str]:
    """Return outcome and the reason's code of each verdict."""
    verdicts = [given.verdict for given in judged]
    return [f"{v.outcome} {v.reason.partition(':')[0]}".strip() for v in verdicts]


async def test_what_a_verifier_does_to_one_record_hurts_no_other(workers: Workers) -> None:
    deeds = {
        "raise": "error exception",
        "raise_coded": "error odd_text",
        "none": "error wrong_type",
        "maybe": "error wrong_outcome",
        "error": "error wrong_outcome",
        "set": "error not_json",
        "surrogate": "fail odd",
        "allocate": "error out_of_memory",
        "few": "error wrong_length",
        "print": "pass",
        "read_input": "pass",
        "fork": "pass",
    }
    texts = [text for deed in deeds for text in (deed, "fail", "pass")]

    judged = await workers.judge(ODD, told(*texts))

    assert shown(judged)[0::3] == list(deeds.values())
    assert shown(judged)[1::3] == ["fail bad"] * len(deeds)
    assert shown(judged)[2::3] == ["pass"] * len(deeds)


async def test_reasons_of_errors_can_be_written_as_text(workers: Workers) -> None:
    judged = await workers.judge(ODD, told("raise"))

    assert judged[0].verdict.reason == "exception: ValueError: I do not like it ?"


async def test_a_verifier_and_what_it_starts_find_no_requests_to_read(workers: Workers) -> None:
    judged = await workers.judge(ODD, told("read_input", "pass"))

    assert judged[0].verdict.evidence == {"input": ""}


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("exit", "crash: the worker process ended with code 3"),
        ("sys_exit", "crash: the worker process ended with code 1"),
        ("segfault", "crash: the worker process was ended by SIGSEGV"),
        ("fork_and_die", "crash: the worker process ended with code 3"),
    ],
)
async def test_a_record_that_ends_its_worker_is_an_error_alone(
    workers: Workers, deed: str, reason: str
) -> None:
    judged = await workers.judge(ODD, told("pass", deed, "fail"))

    assert shown(judged) == ["pass", "error crash", "fail bad"]
    assert judged[1].verdict.reason == reason


async def test_a_record_that_hangs_is_an_error_after_its_time() -> None:
    workers = Workers(1, Limits(timeout_s=1.0))

    judged = await workers.judge(ODD, told("hang"))
    after = await workers.judge(ODD, told("pass"))

    assert judged[0].verdict.reason == "timeout: not judged within 1 s"
    assert shown(after) == ["pass"]
    await workers.close()


async def test_making_a_verifier_is_not_timed_as_judging() -> None:
    workers = Workers(1, Limits(timeout_s=0.5))
    slow = VerifierSpec("./odd_verifiers.py:SlowToMake", "{}", HERE)

    judged = await workers.judge(slow, told("pass"))

    assert shown(judged) == ["pass"]
    await workers.close()


async def test_a_verifier_that_no_worker_can_make_is_no_fault_of_a_record(workers: Workers) -> None:
    spec = VerifierSpec("./odd_verifiers.py:Unmakable", "{}", HERE)

    with pytest.RaisesGroup(pytest.RaisesExc(PluginError, match="Unmakable.*no library here")):
        await workers.judge(spec, told("pass"))


async def test_a_worker_that_died_while_idle_is_replaced(workers: Workers, mark: str) -> None:
    await workers.judge(ODD, told("pass"))
    os.kill(next(processes(mark, ours=False)), signal.SIGKILL)
    while workers._idle[0].alive:  # noqa: ASYNC110
        await asyncio.sleep(0.01)

    assert shown(await workers.judge(ODD, told("pass"))) == ["pass"]


async def test_cancelled_judging_leaves_no_process(workers: Workers, mark: str) -> None:
    judging = asyncio.create_task(workers.judge(ODD, told("hang")))
    while not list(processes(mark, ours=False)):  # noqa: ASYNC110
        await asyncio.sleep(0.01)

    judging.cancel()
    await asyncio.wait([judging])

    assert gone(mark)


async def test_more_records_than_workers_are_judged_in_order() -> None:
    workers = Workers(2, LIMITS)
    texts = ["pass", "fail", "pass"] * 40

    judged = await workers.judge(ODD, told(*texts))

    assert [given.verdict.outcome for given in judged] == texts
    await workers.close()


async def test_another_worker_starts_where_records_wait_again_and_again() -> None:
    workers = Workers(2, LIMITS)

    async with asyncio.TaskGroup() as asking:
        for number in range(20):
            asking.create_task(workers.judge(ODD, [record("nap", number)]))

    assert len(workers._idle) == 2
    await workers.close()


def test_patience_ends_after_many_short_waits_in_a_row() -> None:
    patience = Patience()

    for start in (100.0, 100.2, 100.4):
        assert patience.left(now=start, came=start) > 0
        patience.note(start + 0.19)

    assert patience.left(now=100.6, came=100.6) == 0


def test_short_waits_are_forgotten_while_nobody_waits() -> None:
    patience = Patience()

    for start in range(100, 200):
        assert patience.left(now=start, came=start) > 0
        patience.note(start + 0.19)


def test_patience_of_one_who_came_half_a_second_ago_has_ended() -> None:
    patience = Patience()

    assert patience.left(now=100.5, came=100.0) == 0


async def test_a_worker_finds_the_modules_of_the_run_and_none_that_just_lie_about(
    workers: Workers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "random.py").write_text("raise RuntimeError('not meant')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(HERE)

    judged = await workers.judge(VerifierSpec("odd_verifiers:Odd", "{}", ""), told("pass"))

    assert shown(judged) == ["pass"]


def test_a_worker_that_hangs_ends_with_its_run(mark: str) -> None:
    run = subprocess.Popen([sys.executable, "-c", HANGING % HERE])
    while len(list(processes(mark, ours=False))) < 2:
        assert run.poll() is None

    run.kill()
    run.wait()

    assert gone(mark)


async def test_a_verifier_with_state_keeps_it_from_batch_to_batch(ordered: OrderedWorker) -> None:
    first = await ordered.judge(told("a", "b", "a"))
    second = await ordered.judge(told("b", "c"))

    assert shown(first) == ["pass", "pass", "fail seen"]
    assert shown(second) == ["fail seen", "pass"]


async def test_a_verifier_with_state_has_it_back_after_a_crash(ordered: OrderedWorker) -> None:
    await ordered.judge(told("die at first"))
    before = await ordered.judge(told("a", "b", "die", "a", "c"))
    after = await ordered.judge(told("c", "die", "d", "b"))

    assert shown(before) == ["pass", "pass", "error crash", "fail seen", "pass"]
    assert shown(after) == ["fail seen", "error crash", "pass", "fail seen"]
