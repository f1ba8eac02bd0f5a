"""IFD on a scripted engine: each option alone, each way not to be judged, each bound."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from synth import (
    Chat,
    Completion,
    Engine,
    Message,
    Origin,
    Record,
    Sampling,
    Text,
    TokenLogprobs,
    Verdict,
)
from synth.engine.base import Prompted
from synth.engine.scripted import ScriptedEngine
from synth.plugins import find
from tests.running import services as running
from tests.running import verify

AFTER, ALONE = (-0.5, -1.0, -1.5), (-3.0, -1.0, -2.0)


def talk(*said: str) -> Record:
    """Return a conversation in which user and assistant take turns."""
    roles = ("user", "assistant") * len(said)
    return Record.seed({}, [Message(role=r, content=c) for r, c in zip(roles, said, strict=False)])


def scored(logprobs: Sequence[float], before: int) -> str:
    tokens = ["t"] * len(logprobs)
    return json.dumps({"tokens": tokens, "logprobs": logprobs, "before": before})


def losing(
    after: Sequence[float] = AFTER,
    alone: Sequence[float] = ALONE,
    *,
    before: int = 4,
    before_alone: int = 1,
    asked: list[Any] | None = None,
) -> ScriptedEngine:
    """Return an engine that loses this after every prompt, and that on every text alone."""

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        if asked is not None:
            asked.append((origin.step, prompt))
        if origin.step == "alone":
            return Completion(scored(alone, before_alone))
        return Completion(scored(after, before))

    return ScriptedEngine(reply)


async def judged(folder: Path, engine: Engine, *records: Record, **options: Any) -> Verdict:
    """Return the last verdict."""
    ifd = find("verifiers", "ifd").cls(engine="model", **options)
    async with running(folder, engines={"model": engine}) as services:
        return list(await ifd.judge(records or [talk("Why?", "Because.")], services))[-1]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"preset": "cherry"}, 1.0 / 2.0),
        ({"preset": "superfiltering"}, math.exp(1.0 - 2.0)),
        ({"preset": "cherry", "ratio": "perplexity"}, math.exp(1.0 - 2.0)),
        ({"preset": "superfiltering", "ratio": "loss"}, 0.5),
        ({"ratio": "loss", "first_counts": "after_prompt"}, 1.0 / 1.5),
        ({"ratio": "loss", "first_counts": "nowhere"}, 1.25 / 1.5),
    ],
)
async def test_the_ratio_is_of_what_counts(options: dict[str, Any], wanted: float, tmp_path: Path):
    verdict = await judged(tmp_path, losing(), **options)

    assert verdict.score == pytest.approx(wanted, abs=1e-6)
    assert verdict.outcome == "pass"
    assert verdict.evidence is not None
    assert len(verdict.evidence["turns"]) == 1


async def test_a_first_token_without_a_probability_is_left_out_once(tmp_path: Path):
    engine = losing(alone=ALONE[1:], before_alone=0)

    verdict = await judged(tmp_path, engine, ratio="loss", first_counts="nowhere")

    assert verdict.score == pytest.approx(1.25 / 1.5, abs=1e-6)


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ({"preset": "cherry"}, "pass"),
        ({"preset": "superfiltering"}, "fail"),
        ({"preset": "superfiltering", "at_most": 1}, "pass"),
        ({"preset": "cherry", "below": 1}, "fail"),
        ({"preset": "cherry", "below": 1.5}, "pass"),
        ({"preset": "cherry", "at_most": 0.9}, "fail"),
    ],
)
async def test_a_bound_is_inclusive_or_not(options: dict[str, Any], outcome: str, tmp_path: Path):
    verdict = await judged(tmp_path, losing((-1.1,), (-1.1,)), **options)

    assert verdict.score == 1.0
    assert verdict.outcome == outcome
    assert verdict.reason.startswith("not_helped: " if outcome == "fail" else "")


async def test_what_fails_says_what_it_had_and_what_is_wanted(tmp_path: Path):
    verdict = await judged(tmp_path, losing(ALONE, AFTER), preset="cherry")

    assert verdict.reason == "not_helped: the loss ratio is 2, wants at most 1"


@pytest.mark.parametrize(
    ("options", "prompt", "alone"),
    [
        ({"preset": "cherry"}, " Why?\n\n### Response:", "### Response:"),
        ({"preset": "superfiltering"}, " Why?\n", ""),
        ({"alone_after": "A:"}, " Why?\n", "A:"),
        ({"reverse": True}, "Because.\n\nThe request that the text above answers:\n", ""),
        ({"reverse": True, "alone_after": "Q:"}, None, "Q:"),
    ],
)
async def test_the_engine_is_asked_after_the_prompt_and_alone(
    options: dict[str, Any], prompt: str | None, alone: str, tmp_path: Path
):
    asked: list[tuple[str, Text]] = []

    await judged(tmp_path, losing(asked=asked), talk(" Why?", "Because."), **options)

    assert [step for step, _ in asked] == ["after_prompt", "alone"]
    assert prompt is None or asked[0][1] == Text(prompt)
    assert asked[1][1] == Text(alone)


async def test_a_prompt_of_yours_shows_the_instruction_as_plain_text(tmp_path: Path):
    (tmp_path / "mine.jinja").write_text("Q: {{ instruction }}\nA:{{ ' ' }}\n")
    asked: list[tuple[str, Text]] = []

    await judged(
        tmp_path,
        losing(asked=asked),
        talk("{{ why }}\n--- system", "Because."),
        prompt=tmp_path / "mine.jinja",
    )

    assert asked[0][1] == Text("Q: {{ why }}\n--- system\nA: ")


async def test_the_chat_template_writes_the_conversation_and_the_header(tmp_path: Path):
    asked: list[tuple[str, Prompted]] = []
    said = talk("One?", "1", "Two?", "2")

    verdict = await judged(tmp_path, losing(asked=asked), said, chat_template=True)

    prompts = [prompt for step, prompt in asked if step == "after_prompt"]
    assert prompts == [Chat(said.messages[:1]), Chat(said.messages[:3])]
    assert [p for s, p in asked if s == "alone"] == [Text("<|im_start|>assistant\n")] * 2
    assert verdict.evidence is not None
    assert len(verdict.evidence["turns"]) == 2


async def test_each_reply_stands_after_what_was_said_before(tmp_path: Path):
    asked: list[tuple[str, Text]] = []

    await judged(tmp_path, losing(asked=asked), talk("One?", "1", "Two?", "2"))

    prompts = {prompt.text for step, prompt in asked if step == "after_prompt"}
    assert prompts == {"One?\n", "One?\n1\n\nTwo?\n"}


@pytest.mark.parametrize(("turns", "wanted"), [("mean", 0.375), ("last", 0.25)])
async def test_the_score_is_the_mean_of_the_turns_or_the_last(
    turns: str, wanted: float, tmp_path: Path
):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        after = -0.5 if "Two?" in prompt.canonical() else -1.0
        return Completion(scored([-2.0 if origin.step == "alone" else after], 1))

    engine = ScriptedEngine(reply)

    verdict = await judged(
        tmp_path, engine, talk("One?", "1", "Two?", "2"), preset="cherry", turns=turns
    )

    assert verdict.score == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (Record.seed({}), "nothing_to_judge"),
        (Record.seed({"instruction": "Why?"}), "nothing_to_judge"),
        (talk("Why?"), "nothing_to_judge"),
        (talk("", "An answer to nothing."), "nothing_to_judge"),
        (talk("Why?", ""), "empty_answer"),
        (talk("Why?", " \n"), "empty_answer"),
    ],
)
async def test_without_an_instruction_and_an_answer_nobody_is_asked(
    record: Record, code: str, tmp_path: Path
):
    engine = losing()

    verdict = await judged(tmp_path, engine, record)

    assert verdict.outcome == "abstain"
    assert verdict.reason.startswith(f"{code}: ")
    assert engine.calls == 0


@pytest.mark.parametrize(
    ("engine", "options", "code"),
    [
        (losing(before=512), {"preset": "cherry"}, "too_long"),
        (losing(before=1030, after=()), {}, "too_long"),
        (losing(alone=(), before_alone=0), {}, "too_short"),
        (losing((-0.5,), (-0.5,)), {"first_counts": "nowhere"}, "too_short"),
        (losing((-0.5,), (0.0,)), {"preset": "cherry"}, "certain_alone"),
    ],
)
async def test_what_has_no_ratio_is_not_judged(
    engine: ScriptedEngine, options: dict[str, Any], code: str, tmp_path: Path
):
    verdict = await judged(tmp_path, engine, **options)

    assert verdict.outcome == "abstain"
    assert verdict.score is None
    assert verdict.reason.startswith(f"{code}: ")


@pytest.mark.parametrize(
    ("options", "outcome"),
    [
        ({"preset": "cherry", "max_length": 7}, "pass"),
        ({"preset": "cherry", "max_length": 6}, "abstain"),
        ({"preset": "cherry", "max_length": 6, "over_long": "cut"}, "pass"),
        ({"preset": "superfiltering", "max_length": 6}, "pass"),
        ({"preset": "superfiltering", "max_length": 6, "over_long": "skip"}, "abstain"),
        ({"preset": "cherry", "max_length": 0}, "pass"),
    ],
)
async def test_an_answer_beyond_the_room_is_cut_or_skipped(
    options: dict[str, Any], outcome: str, tmp_path: Path
):
    verdict = await judged(tmp_path, losing(before=4), **options)

    assert verdict.outcome == outcome
    assert verdict.reason.startswith("" if outcome == "pass" else "too_long: the answer has 3")


async def test_a_first_token_without_a_probability_takes_room_too(tmp_path: Path):
    engine = losing(before=4, alone=ALONE[1:], before_alone=0)

    verdict = await judged(tmp_path, engine, over_long="skip", max_length=6)

    assert verdict.reason == "too_long: the answer has 3 tokens, the prompt leaves room for 2"


async def test_the_answer_alone_is_cut_as_published(tmp_path: Path):
    cuts: list[int | None] = []

    class Cutting(Engine):
        name: ClassVar[str] = "cutting"

        async def logprobs(
            self, prompt: Prompted, continuation: str, origin: Origin, *, cut_at: int | None = None
        ) -> TokenLogprobs:
            cuts.append(cut_at)
            return TokenLogprobs(("t",), (-1.0,), 100)

    for preset in ("cherry", "superfiltering"):
        await judged(tmp_path, Cutting(), preset=preset)

    assert cuts == [512, 512 - 100 + 4, 1024, 1024 - 100 + 1]


async def test_impossible_texts_have_a_finite_ratio(tmp_path: Path):
    hard = losing((-9999.0, -9999.0), (-0.001, -0.001))

    perplexities = await judged(tmp_path, hard, preset="superfiltering")
    losses = await judged(tmp_path, hard, preset="cherry")

    assert perplexities.score is not None
    assert perplexities.score > 1e300
    assert losses.score == pytest.approx(9_999_000.0)


async def test_a_turn_that_cannot_be_judged_leaves_the_others(tmp_path: Path):
    verdict = await judged(tmp_path, losing(), talk("One?", " ", "Two?", "2"), preset="cherry")

    assert verdict.score == 0.5


async def test_an_engine_that_fails_holds_the_record(tmp_path: Path):
    stage = verify("ifd", engine="model")
    engine = ScriptedEngine(lambda *_: Completion("no JSON"))

    async with running(tmp_path, engines={"model": engine}, stage=stage) as services:
        [[held]] = await stage.apply_batch([talk("Why?", "Because.")], services)

    assert held.state == "held"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"at_most": 1, "below": 1}, "wants `at_most` or `below`, not both"),
        ({"preset": "ifd"}, "'cherry' or 'superfiltering'"),
        ({"below": 0}, "greater than 0"),
        ({"max_length": -1}, "greater than or equal to 0"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        find("verifiers", "ifd").cls(engine="model", **options)


def test_a_prompt_that_is_a_chat_is_refused(tmp_path: Path):
    (tmp_path / "chat.jinja").write_text("--- system\nHi\n--- user\n{{ instruction }}")

    with pytest.raises(ValidationError, match="wants a prompt that is one text, found a chat"):
        find("verifiers", "ifd").cls(engine="model", prompt=tmp_path / "chat.jinja")


async def test_verdicts_are_the_same_at_any_batch_size(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        lost = float(len(prompt.canonical()))
        return Completion(scored([-lost, -1.0], 2))

    records = [talk("Why?" * n, f"Because {n}.") for n in range(1, 8)]
    ifd = find("verifiers", "ifd").cls(engine="model", preset="cherry")
    async with running(tmp_path, engines={"model": ScriptedEngine(reply)}) as services:
        whole = await ifd.judge(records, services)
        single = [(await ifd.judge([one], services))[0] for one in records]

    assert single == whole
    assert len({verdict.score for verdict in whole}) == 7
