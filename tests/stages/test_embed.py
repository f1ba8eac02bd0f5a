"""An engine's vectors in a field: of length 1, for whoever compares records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Origin, Prompted, Sampling, Text
from synth.engine.scripted import ScriptedEngine
from synth.record import Message, Record
from synth.stages.embed import Embed
from tests.running import question, services


async def embedded(folder: Path, record: Record, vector: Any, **options: Any) -> Record:
    """Return what becomes of a record whose text gets this vector."""
    [became] = await said_to_embed(folder, record, json.dumps(vector), [], **options)
    return became


async def said_to_embed(
    folder: Path, record: Record, reply: str, asked: list[str], **options: Any
) -> list[Record]:
    def script(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert isinstance(prompt, Text)
        asked.append(str(prompt.text))
        return reply

    engines = {"encoder": ScriptedEngine(script)}
    async with services(folder, label="embed", engines=engines) as given:
        return list(await Embed(engine="encoder", **options).apply(record, given))


async def test_the_record_goes_on_with_a_vector_of_length_one(tmp_path: Path):
    became = await embedded(tmp_path, question(), [3, 4.0])

    assert became.id == question().id
    assert became.fields["embedding"] == [0.6, 0.8]


async def test_numbers_have_six_decimals(tmp_path: Path):
    became = await embedded(tmp_path, question(), [1, 1, 1])

    assert became.fields["embedding"] == [0.57735] * 3


async def test_the_field_may_have_another_name(tmp_path: Path):
    became = await embedded(tmp_path, question(), [1.0], into="sense")

    assert became.fields == {"sense": [1.0]}


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "Why?"),
        ({"of": "reply"}, "Because."),
        ({"of": "all"}, "Why?\n\nBecause."),
        ({"prefix": "query: "}, "query: Why?"),
    ],
)
async def test_which_text_is_embedded(tmp_path: Path, options: dict[str, Any], text: str):
    turns = [Message(role="user", content="Why?"), Message(role="assistant", content="Because.")]
    asked: list[str] = []

    await said_to_embed(tmp_path, Record.seed({}, turns), "[1]", asked, **options)

    assert asked == [text]


async def test_a_record_without_the_text_is_dropped_and_nothing_asked(tmp_path: Path):
    asked: list[str] = []

    [became] = await said_to_embed(tmp_path, question(), "[1]", asked, of="reply")

    assert became.dropped is not None
    assert became.dropped.reason == "nothing_to_embed: no reply with text"
    assert asked == []


@pytest.mark.parametrize("vector", [[0.0, 0.0], [1.7e308] * 4], ids=["zeros", "endless"])
async def test_a_vector_without_a_length_points_nowhere(tmp_path: Path, vector: list[float]):
    became = await embedded(tmp_path, question(), vector)

    assert became.dropped is not None
    assert became.dropped.reason.startswith("no_vector: ")
