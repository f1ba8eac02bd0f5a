"""Open tags of a whole set, made alike: each record goes on with its new list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from synth.stages.normalise_tags import NormaliseTags
from tests.running import rows_of, services
from tests.similarity.tiny_models import tiny_static

SMALL = {"alpha": 2, "embedding": None, "support": 100}


async def made_alike(folder: Path, fields: Sequence[dict[str, Any]], **options: Any) -> list[Any]:
    """Return what becomes of each record."""
    rows = rows_of(folder, [{"n": number, **given} for number, given in enumerate(fields)])
    stage = NormaliseTags.model_validate({**SMALL, **options})
    async with services(folder) as given:
        chosen = await stage.choose(rows, given)
    return [chosen(number) for number in range(len(fields))]


def tagged(*rows: list[str]) -> list[dict[str, Any]]:
    return [{"tags": row} for row in rows]


async def test_rare_tags_go_and_spellings_are_merged(tmp_path: Path):
    rows = tagged(["Sorting", "rare"], ["sorting"], ["sorting", "data-models"], ["data-models"])

    became = await made_alike(tmp_path, rows)

    assert became == tagged([], ["sorting"], ["sorting", "data models"], ["data models"])


async def test_endings_may_count(tmp_path: Path):
    rows = tagged(["models"], ["models"], ["model"], ["model"])

    assert await made_alike(tmp_path, rows) == tagged(*[["model"]] * 4)
    (tmp_path / "again").mkdir()
    assert await made_alike(tmp_path / "again", rows, stem=False) == rows


async def test_what_means_the_same_is_merged(tmp_path: Path):
    pytest.importorskip("model2vec", reason="needs the extra `semantic`")
    model = tiny_static(tmp_path / "tiny", {"boil": "cook"})
    rows = tagged(["cook"], ["cook"], ["boil", "rice"], ["boil", "cook"], ["rice"])

    became = await made_alike(tmp_path, rows, embedding=f"model2vec:{model}")

    assert became == tagged(["cook"], ["cook"], ["cook", "rice"], ["cook"], ["rice"])


async def test_a_tag_that_never_stands_alone_becomes_its_companion(tmp_path: Path):
    rows = tagged(["python", "pip"], ["python", "pip"], ["python"])

    became = await made_alike(tmp_path, rows, support=2)

    assert became == tagged(["python"], ["python"], ["python"])


async def test_a_record_without_a_list_goes_on_as_it_is(tmp_path: Path):
    became = await made_alike(tmp_path, [{}, {"tags": "law"}, {"tags": None}, {"tags": ["law"]}])

    assert became == ["", "", "", {"tags": []}]
