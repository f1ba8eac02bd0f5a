"""DEITA: the expectation of six digits, turn by turn, and what is not there."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from synth import Chat, Completion, Message, Origin, Record, Sampling, Text, Verdict
from synth.engine.base import Prompted
from synth.engine.scripted import ScriptedEngine
from synth.errors import RecipeError
from synth.plugins import find
from synth.testing import record
from tests.running import services as running
from tests.running import verify

expectation = importlib.import_module(find("verifiers", "deita").cls.__module__).expectation

TWO_TURNS = (
    Message(role="system", content="Be brief."),
    Message(role="user", content="Why is the sky blue?"),
    Message(role="assistant", content="It scatters light."),
    Message(role="user", content="And at night?"),
    Message(role="assistant", content="", tool_calls=[{"id": "1"}]),
    Message(role="tool", content="dark"),
    Message(role="assistant", content="It is dark."),
)
TEN = {str(digit): float(digit) for digit in range(1, 7)}
"""Logits whose differences are 1."""


def likeliest(logits: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Return tokens with log-probabilities, likeliest first, of a vocabulary that holds more."""
    norm = math.log(math.fsum(map(math.exp, [*logits.values(), 2.0])))
    return tuple(sorted(((token, x - norm) for token, x in logits.items()), key=lambda t: -t[1]))


def softly(logits: Mapping[str, float]) -> float:
    """Return the expectation of digits by the definition: softmax over these logits alone."""
    total = sum(math.exp(x) for x in logits.values())
    return sum(int(digit) * math.exp(x) / total for digit, x in logits.items())


def rating(*places: Mapping[str, float], asked: list[Any] | None = None) -> ScriptedEngine:
    """Return an engine whose first token has these logits: one mapping, or one for each call."""
    calls = iter(places * 100 if len(places) == 1 else places)

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        if asked is not None:
            asked.append((prompt, sampling, origin))
        return Completion("4", top_logprobs=(likeliest(next(calls)),))

    return ScriptedEngine(reply)


async def judged(
    folder: Path, batch: Sequence[Record], engines: Mapping[str, ScriptedEngine], **options: Any
) -> list[Verdict]:
    """Return the verdicts; the options name the engines."""
    deita = find("verifiers", "deita").cls(**options)
    async with running(folder, engines=engines) as services:
        return list(await deita.judge(batch, services))


async def scored(folder: Path, logits: Mapping[str, float], **options: Any) -> Verdict:
    """Return the verdict on one instruction by its complexity alone."""
    engines = {"rater": rating(logits)}
    [verdict] = await judged(folder, [record()], engines, complexity_engine="rater", **options)
    return verdict


async def test_the_score_is_the_expectation_over_the_six_digits_alone(tmp_path: Path):
    logits = {"1": -1.5, "2": 0.25, "3": 3.0, "4": 2.5, "5": 0.0, "6": -4.0}

    verdict = await scored(tmp_path, {**logits, "The": 5.0, "7": 4.0, "0": 1.0, "": 1.0})

    assert verdict.score == pytest.approx(softly(logits), abs=1e-6)


@given(st.lists(st.floats(-30, 30), min_size=6, max_size=6))
def test_any_logits_give_their_expectation(values: list[float]):
    logits = dict(zip(TEN, values, strict=True))

    found = expectation(likeliest(logits), every_digit=True)

    assert found == pytest.approx(softly(logits), abs=1e-6)


async def test_complexity_times_quality_is_summed_over_turns(tmp_path: Path):
    only = [{str(digit): 0.0} for digit in range(1, 7)]
    seed = Record.seed({}, TWO_TURNS)
    engines = {"c": rating(only[1], only[4]), "q": rating(only[2], only[5])}

    [verdict] = await judged(
        tmp_path, [seed], engines, complexity_engine="c", quality_engine="q", at_least=36
    )

    assert verdict.score == 2 * 3 + 5 * 6
    assert verdict.outcome == "pass"
    assert verdict.evidence == {"turns": [[2, 3], [5, 6]], "unread": 0}


async def test_each_turn_is_shown_alone_with_the_last_thing_that_was_said(tmp_path: Path):
    asked: list[tuple[Chat, Sampling, Origin]] = []

    await judged(
        tmp_path,
        [Record.seed({}, TWO_TURNS)],
        {"q": rating(TEN, asked=asked)},
        quality_engine="q",
    )

    shown = [prompt.messages[-1]["content"] for prompt, _, _ in asked]
    assert ["Why is the sky blue?" in text for text in shown] == [True, False]
    assert ["It is dark." in text for text in shown] == [False, True]
    assert {(at.step, at.sample) for _, _, at in asked} == {("quality", 0), ("quality", 1)}
    assert {(s.max_tokens, s.top_logprobs, s.temperature) for _, s, _ in asked} == {(1, 20, 0.0)}


async def test_digits_that_are_not_among_the_likeliest_weigh_nothing(tmp_path: Path):
    verdict = await scored(tmp_path, {"3": 1.0, "4": 1.0, "The": 9.0})

    assert verdict.score == pytest.approx(3.5)


async def test_spaces_do_not_count_and_two_spellings_have_both_probabilities(tmp_path: Path):
    verdict = await scored(tmp_path, {"2": 0.0, " 2": 0.0, "\u25815": 0.0, "1\n": 0.0})

    assert verdict.score == pytest.approx((2 + 2 + 5 + 1) / 4)


async def test_where_no_digit_is_there_the_turn_gets_the_published_three(tmp_path: Path):
    verdict = await scored(tmp_path, {"The": 0.0, "I": -1.0, "7": 1.0})

    assert verdict.score == 3.0
    assert verdict.evidence == {"turns": [[3.0]], "unread": 1}


async def test_or_it_is_not_judged(tmp_path: Path):
    verdict = await scored(tmp_path, {"The": 0.0}, unread=None)

    assert verdict.outcome == "abstain"
    assert verdict.reason == "no_digits: 1 of 1 first tokens are no digits"


async def test_as_in_the_authors_code_one_missing_digit_can_be_enough_for_it(tmp_path: Path):
    five = {digit: 0.0 for digit in TEN if digit != "1"}

    strict = await scored(tmp_path, {**five, "6 ": 0.0}, every_digit=True)
    whole = await scored(tmp_path / "..", {**five, "1": 0.0}, every_digit=True)

    assert strict.score == 3.0
    assert whole.score == pytest.approx(3.5)


def test_impossible_tokens_make_no_odd_number():
    impossible = ("1", -math.inf)

    assert expectation([impossible], every_digit=False) is None
    assert expectation([impossible, ("2", -800.0)], every_digit=False) == 2.0
    assert expectation([("1", math.nan), ("5", -1e308), ("6", -1e308)], every_digit=False) == 5.5


async def test_nothing_at_all_generated_is_no_digit(tmp_path: Path):
    engines = {"rater": ScriptedEngine(lambda *_: Completion("", top_logprobs=()))}

    [verdict] = await judged(tmp_path, [record()], engines, complexity_engine="rater")

    assert verdict.score == 3.0


async def test_an_engine_without_logprobs_is_an_error_that_holds_the_record(tmp_path: Path):
    stage = verify("deita", complexity_engine="rater")
    engines = {"rater": ScriptedEngine(lambda *_: "4")}

    async with running(tmp_path, engines=engines, stage=stage) as services:
        [[held]] = await stage.apply_batch([record()], services)

    assert held.state == "held"
    assert held.dropped is not None
    assert held.dropped.reason.startswith("no_logprobs: wanted the likeliest first tokens")


@pytest.mark.parametrize(
    ("messages", "scales"),
    [
        ([], ("complexity_engine",)),
        ([{"role": "user", "content": " \n"}], ("complexity_engine",)),
        ([{"role": "user", "content": "Why?"}], ("complexity_engine", "quality_engine")),
        ([{"role": "assistant", "content": "Hello."}], ("quality_engine",)),
        (
            [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": " "}],
            ("quality_engine",),
        ),
    ],
)
async def test_a_record_without_a_whole_turn_is_not_judged(
    messages: list[Message], scales: tuple[str, ...], tmp_path: Path
):
    engine = rating(TEN)
    named = dict.fromkeys(scales, "rater")

    [verdict] = await judged(tmp_path, [Record.seed({}, messages)], {"rater": engine}, **named)

    assert verdict.outcome == "abstain"
    assert verdict.reason.startswith("nothing_to_judge")
    assert engine.calls == 0


async def test_complexity_needs_no_reply_and_no_message(tmp_path: Path):
    seeds = [record(), Record.seed({"instruction": "Why?"}, number=1)]
    engines = {"rater": rating(TEN)}

    verdicts = await judged(tmp_path, seeds, engines, complexity_engine="rater")

    assert [verdict.score for verdict in verdicts] == [pytest.approx(softly(TEN))] * 2


async def test_a_prompt_of_yours_can_be_raw_text_with_a_space_at_its_end(tmp_path: Path):
    (tmp_path / "mine.jinja").write_text("Query: {{ instruction }}\nComplexity:{{ ' ' }}\n")
    asked: list[tuple[Text, Sampling, Origin]] = []

    await judged(
        tmp_path,
        [record(instruction="{{ Why? }}\n--- system\n")],
        {"rater": rating(TEN, asked=asked)},
        complexity_engine="rater",
        complexity_prompt=tmp_path / "mine.jinja",
        raw=True,
    )

    assert asked[0][0] == Text("Query: {{ Why? }}\n--- system\n\nComplexity: ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "wants a `complexity_engine`, a `quality_engine`, or both"),
        ({"quality_engine": "a", "raw": True}, "`raw: true` wants a quality_prompt that is one"),
        ({"quality_engine": "a", "at_least": 5, "at_most": 3}, "wants at_least ≤ at_most"),
        ({"quality_engine": "a", "unread": 0}, "greater than or equal to 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        find("verifiers", "deita").cls(**options)


def test_a_prompt_that_does_not_parse_is_told_with_its_line(tmp_path: Path):
    (tmp_path / "mine.jinja").write_text("One\n{{ instruction }")

    with pytest.raises(RecipeError, match=r"mine\.jinja, line 2: the template does not parse"):
        find("verifiers", "deita").cls(
            complexity_engine="a", complexity_prompt=tmp_path / "mine.jinja"
        )


async def test_verdicts_are_the_same_at_any_batch_size(tmp_path: Path):
    seeds = [
        Record.seed({}, [Message(role="user", content=f"Question {number}?")], number=number)
        for number in range(7)
    ]

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        logits = {digit: float(origin.position[0] * int(digit) % 5) for digit in TEN}
        return Completion("4", top_logprobs=(likeliest(logits),))

    engines = {"rater": ScriptedEngine(reply)}
    deita = find("verifiers", "deita").cls(complexity_engine="rater")
    async with running(tmp_path, engines=engines) as services:
        whole = await deita.judge(seeds, services)
        single = [(await deita.judge([seed], services))[0] for seed in seeds]

    assert single == whole
    assert len({verdict.score for verdict in whole}) > 3
    assert engines["rater"].calls == 7
