"""Make the end of a run by hand: stage files and a database, without engines."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from synth.recipe import Recipe
from synth.record import Record
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
