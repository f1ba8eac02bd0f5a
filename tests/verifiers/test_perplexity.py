"""Perplexity on a scripted engine: what is read after what, and what cannot be told."""

from __future__ import annotations

import json
import math
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
    {},
    [
        Message(role="system", content="Be brief."),
        Message(role="user", content="Why?"),
        Message(role="assistant", content="Because."),
    ],
)


async def judged(
    folder: Path,
    *records: Record,
    logprobs: tuple[float, ...] = (-1.0, -2.0),
    before: int = 3,
    asked: list[Prompted] | None = None,
    **options: Any,
) -> list[Verdict]:
    """Return the verdicts, on an engine that says the same of every text."""

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        if asked is not None:
            asked.append(prompt)
        tokens = ["t"] * len(logprobs)
        return Completion(json.dumps({"tokens": tokens, "logprobs": logprobs, "before": before}))

    perplexity = find("verifiers", "perplexity").cls(engine="model", **options)
    async with running(folder, engines={"model": ScriptedEngine(reply)}) as services:
        return list(await perplexity.judge(records or [TALK], services))


@pytest.mark.parametrize(("measure", "wanted"), [("perplexity", math.exp(1.5)), ("loss", 1.5)])
async def test_it_is_the_mean_loss_or_e_to_it(measure: str, wanted: float, tmp_path: Path):
    [verdict] = await judged(tmp_path, measure=measure)

    assert verdict.score == pytest.approx(wanted)
    assert verdict.evidence == {"loss": 1.5, "tokens": 2}


@pytest.mark.parametrize(
    ("options", "prompt"),
    [
        ({}, Chat(TALK.messages[:2])),
        ({"alone": True}, Text("")),
        ({"of": "instruction"}, Text("")),
        ({"of": "all"}, Text("")),
    ],
)
async def test_a_text_is_read_after_its_conversation_or_alone(
    options: dict[str, Any], prompt: Prompted, tmp_path: Path
):
    asked: list[Prompted] = []

    await judged(tmp_path, asked=asked, **options)

    assert asked == [prompt]


async def test_a_prompt_of_yours_stands_before_the_reply(tmp_path: Path):
    (tmp_path / "mine.jinja").write_text("Q: {{ instruction }}\nA:")
    asked: list[Prompted] = []

    await judged(tmp_path, asked=asked, prompt=tmp_path / "mine.jinja")

    assert asked == [Text("Q: Why?\nA:")]


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"at_most": 4}, "too_high: the perplexity is 4.482, wants at most 4"),
        ({"at_least": 2, "measure": "loss"}, "too_low: the loss is 1.5, wants at least 2"),
        ({"at_least": 4, "at_most": 5}, ""),
    ],
)
async def test_bounds_are_kept(options: dict[str, Any], reason: str, tmp_path: Path):
    [verdict] = await judged(tmp_path, **options)

    assert verdict.reason == reason


@pytest.mark.parametrize(
    ("records", "options", "code"),
    [
        ([record("")], {}, "nothing_to_judge"),
        ([record(" \n")], {}, "nothing_to_judge"),
        ([Record.seed({})], {"of": "all"}, "nothing_to_judge"),
        ([], {"logprobs": (), "before": 0}, "too_short"),
        ([], {"max_length": 3}, "too_long"),
    ],
)
async def test_what_has_no_perplexity_is_not_judged(
    records: list[Record], options: dict[str, Any], code: str, tmp_path: Path
):
    [verdict] = await judged(tmp_path, *records, **options)

    assert verdict.outcome == "abstain"
    assert verdict.reason.startswith(f"{code}: ")


async def test_the_impossible_has_a_finite_score(tmp_path: Path):
    [verdict] = await judged(tmp_path, logprobs=(-9999.0,))

    assert verdict.score == math.exp(700)


@pytest.mark.parametrize(
    "options", [{"at_least": 3, "at_most": 2}, {"max_length": 0}, {"measure": "bits"}]
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]):
    with pytest.raises(ValidationError):
        find("verifiers", "perplexity").cls(engine="model", **options)
