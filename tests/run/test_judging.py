"""Verdicts: kept by content, given once, and never taken from a verifier that broke."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth.engine.scripted import ScriptedEngine
from synth.errors import EngineDown
from synth.record import Judgement, Record, Verdict
from tests.run.conftest import record
from tests.running import services, verify

HERE = Path(__file__).parent
TEXTS = ("one", "two", "three")


def told(*texts: str, start: int = 0) -> list[Record]:
    return [record(text, number) for number, text in enumerate(texts, start)]


def replying(prompt: Any, *_: object) -> str:
    if prompt.messages[-1]["content"] == "down":
        raise EngineDown("nobody is there")
    return "yes"


TEACHER = ScriptedEngine(replying)


async def judged(folder: Path, name: str, records: list[Record], **options: Any) -> list[Verdict]:
    """Return the verdicts of one verifier, kept in `folder`."""
    stage = verify(f"./odd_verifiers.py:{name}", HERE, **options)
    engines = {"teacher": TEACHER}
    async with services(folder, stage=stage, engines=engines) as given:
        return await given.judge(stage.verifiers[0], records, given)


async def test_what_was_judged_once_is_not_judged_again(tmp_path: Path) -> None:
    log = tmp_path / "log"

    first = await judged(tmp_path, "Logged", told(*TEXTS), log=str(log))
    again = await judged(tmp_path, "Logged", told(*TEXTS, "four", start=7), log=str(log))

    assert first == [Verdict.passed()] * 3
    assert again == [Verdict.passed()] * 4
    assert len(log.read_text().splitlines()) == 4


@pytest.mark.parametrize("change", [{"threshold": 5}, {"rules": "odd_stages.py"}])
async def test_another_option_or_file_is_judged_anew(tmp_path: Path, change: Any) -> None:
    log = tmp_path / "log"
    await judged(tmp_path, "Logged", told(*TEXTS), log=str(log))

    await judged(tmp_path, "Logged", told(*TEXTS), log=str(log), **change)

    assert len(log.read_text().splitlines()) == 6


async def test_a_verdict_that_rests_on_others_is_given_anew_where_those_differ(
    tmp_path: Path,
) -> None:
    [one] = told("one")
    said = [
        one.judged(Judgement("verify", "length", "length", "1", Verdict.passed(score=score)))
        for score in (1.0, 2.0, 1.0)
    ]

    echoed = [await judged(tmp_path, "Echoing", [record]) for record in said]

    assert [verdict.score for (verdict,) in echoed] == [1.0, 2.0, 1.0]


async def test_an_error_is_not_kept(tmp_path: Path) -> None:
    for _ in range(2):
        verdicts = await judged(tmp_path, "Odd", told("pass", "raise"))

        assert [verdict.outcome for verdict in verdicts] == ["pass", "error"]


async def test_kept_verdicts_come_back_as_they_were(tmp_path: Path) -> None:
    first = await judged(tmp_path, "Odd", told("fail", "pass", "print"))

    assert await judged(tmp_path, "Odd", told("fail", "pass", "print")) == first


async def test_nothing_to_judge_starts_no_worker(tmp_path: Path) -> None:
    assert await judged(tmp_path, "Odd", []) == []


async def test_a_model_verifier_that_breaks_over_a_record_hurts_no_other(tmp_path: Path) -> None:
    texts = ["pass", "raise", "fail", "maybe", "set", "pass", "few"]

    verdicts = await judged(tmp_path, "Asking", told(*texts))

    codes = [f"{v.outcome} {v.reason.partition(':')[0]}".strip() for v in verdicts]
    assert codes == [
        "pass",
        "error exception",
        "fail bad",
        "error wrong_outcome",
        "error not_json",
        "pass",
        "error wrong_length",
    ]


async def test_an_outage_of_a_model_verifier_is_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(EngineDown):
        await judged(tmp_path, "Asking", told("pass", "down"))
