"""Make the end of a run by hand: stage files and a database, without engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from synth.recipe import Recipe
from synth.record import Judgement, Message, Record, Verdict
from synth.store import database
from synth.store.stage_file import StageFile

Finish = Callable[[Iterable[Record]], Path]


@pytest.fixture
def finish(tmp_path: Path) -> Finish:
    """Return what makes a finished run of one stage from records, in a folder of its own."""

    def run(records: Iterable[Record]) -> Path:
        folder = tmp_path / f"run {len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        file = StageFile(folder / "00-verify.parquet", key="key")
        file.add(records)
        file.finish()
        database.build(folder, [("verify", folder / "00-verify.parquet")])
        return folder

    return run


@pytest.fixture
def recipe() -> Callable[..., Recipe]:
    """Return what makes a recipe that exports the given datasets."""

    def of(**export: Any) -> Recipe:
        written = {
            "name": "bench",
            "seeds": ["seeds.jsonl"],
            "stages": ["respond"],
            "export": export,
        }
        return Recipe.model_validate(written)

    return of


def answer(number: int, sample: int = 0, **more: Any) -> Record:
    seed = Record.seed({"n": number}, number=number)
    reply: Any = {"role": "assistant", "content": f"{number} {sample}", **more}
    asked: Message = {"role": "user", "content": f"{number}?"}
    return seed.child("respond", sample, messages=[asked, reply])


def judged_records(records: int, **more: Any) -> list[Record]:
    """Return a good and a dropped answer to each of so many prompts."""
    made: list[Record] = []
    for n in range(records):
        passed = Judgement("verify", "judge", "exact", "1", Verdict.passed())
        failed = Judgement("verify", "judge", "exact", "1", Verdict.failed("wrong", "| it is"))
        bad = (
            answer(n, 1, **more).judged(failed).drop("verdict", by="judge", reason="wrong: | it is")
        )
        made += [answer(n, 0, **more).judged(passed), bad]
    return made


@pytest.fixture
def judged() -> Callable[..., list[Record]]:
    """Return what makes a good and a dropped answer to each of so many prompts."""
    return judged_records
