"""`reward` on a scripted engine; tests/engine/test_hf_classifier.py has a real one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth import Chat, Completion, Message, Origin, Record, Sampling, Text, Verdict
from synth.engine.base import Prompted
from synth.engine.scripted import ScriptedEngine
from synth.plugins import find
from synth.testing import record
from tests.running import services as running

TALK = Record.seed(
    {}, [Message(role="user", content="Why?"), Message(role="assistant", content="Because.")]
)


async def judged(
    folder: Path,
    *records: Record,
    outputs: Sequence[float] = (1.25,),
    asked: list[Prompted] | None = None,
    **options: Any,
) -> Verdict:
    """Return the verdict, by a head that says the same of every text."""

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        if asked is not None:
            asked.append(prompt)
        return Completion(json.dumps(list(outputs)))

    reward = find("verifiers", "reward").cls(engine="model", **options)
    async with running(folder, engines={"model": ScriptedEngine(reply)}) as services:
        return (await reward.judge(records or [TALK], services))[0]


async def test_the_score_is_the_heads_output_for_the_conversation(tmp_path: Path):
    asked: list[Prompted] = []

    verdict = await judged(tmp_path, asked=asked)

    assert verdict == Verdict.passed(score=1.25)
    assert asked == [Chat(TALK.messages)]


async def test_a_prompt_of_yours_shows_the_conversation(tmp_path: Path):
    (tmp_path / "mine.jinja").write_text("{{ instruction }} | {{ reply }} | {{ messages|length }}")
    asked: list[Prompted] = []

    await judged(tmp_path, asked=asked, prompt=tmp_path / "mine.jinja")

    assert asked == [Text("Why? | Because. | 2")]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"at_least": 2}, "too_low: the reward is 1.25, wants at least 2"),
        ({"at_most": 1}, "too_high: the reward is 1.25, wants at most 1"),
        ({"at_least": 1.25}, ""),
    ],
)
async def test_bounds_are_kept(options: dict[str, Any], reason: str, tmp_path: Path):
    assert (await judged(tmp_path, **options)).reason == reason


async def test_one_label_of_several_is_the_score(tmp_path: Path):
    assert (await judged(tmp_path, outputs=(1.0, -3.5), label=1)).score == -3.5


@pytest.mark.parametrize("label", [None, 2])
async def test_a_label_that_is_not_there_is_an_error(label: int | None, tmp_path: Path):
    with pytest.raises(ValueError, match=r"no_such_label: .* 2 outputs; wanted a `label` from 0"):
        await judged(tmp_path, outputs=(1.0, 2.0), label=label)


@pytest.mark.parametrize("text", ["", " ", None])
async def test_without_a_reply_nobody_is_asked(text: str | None, tmp_path: Path):
    asked: list[Prompted] = []

    verdict = await judged(tmp_path, record(text), asked=asked)

    assert verdict.outcome == "abstain"
    assert asked == []


def test_crossed_bounds_are_refused():
    with pytest.raises(ValidationError, match="wants at_least ≤ at_most"):
        find("verifiers", "reward").cls(engine="model", at_least=2, at_most=1)
