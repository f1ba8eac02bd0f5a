"""Verdicts, and verifiers that are one function."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from synth import Record, Verdict, verifier
from synth.testing import VerifierContract, judge, record
from synth.verification import as_verdict


@verifier
def mentions(record: Record, word: str = "tea", times: int = 1) -> bool:
    """The reply has a word in it, so many times."""
    return record.reply.count(word) >= times


@verifier(version="3", reasons=("rude",))
def kind(record: Record, *, limit: float) -> Verdict | float:
    """Two kinds of answer, and an option without a default."""
    return Verdict.failed("rude", "it swears") if "damn" in record.reply else limit


class TestMentions(VerifierContract):
    verifier = mentions
    must_pass = ("I like tea.",)
    must_fail = ("I like coffee.",)


class TestKind(VerifierContract):
    verifier = kind
    options = {"limit": 0.5}  # noqa: RUF012
    must_pass = ("Hello.",)
    must_fail = ("damn it",)


@pytest.mark.parametrize(
    ("returned", "verdict"),
    [
        (True, Verdict("pass")),
        (False, Verdict("fail", "failed: the function returned False")),
        (None, Verdict("abstain", "not_applicable: the function returned None")),
        (0, Verdict("pass", score=0.0)),
        (0.25, Verdict("pass", score=0.25)),
        (Verdict.abstained("why"), Verdict("abstain", "why")),
    ],
)
def test_a_plain_value_stands_for_a_verdict(returned: Any, verdict: Verdict):
    assert as_verdict(returned) == verdict


@pytest.mark.parametrize("returned", ["pass", (True, "why"), [], object()])
def test_any_other_value_is_refused(returned: Any):
    with pytest.raises(TypeError, match="wanted bool, float, Verdict or None, got"):
        as_verdict(returned)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_score_must_be_finite(score: float):
    with pytest.raises(ValueError, match="score must be finite"):
        Verdict.passed(score=score)


def test_a_function_becomes_a_verifier_with_its_name_its_help_and_its_options():
    assert mentions.name == "mentions"
    assert mentions.version == "1"
    assert mentions.__doc__ == "The reply has a word in it, so many times."
    assert mentions().model_dump() == {"word": "tea", "times": 1}


def test_a_function_may_have_a_version_and_reasons_of_its_own():
    assert kind.version == "3"
    assert kind.reasons == ("failed", "not_applicable", "rude")


def test_options_reach_the_function():
    [verdict] = judge(mentions, ["milk and milk"], word="milk", times=2)

    assert verdict.outcome == "pass"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"wrod": "milk"}, "Extra inputs are not permitted"),
        ({"times": "many"}, "valid integer"),
    ],
)
def test_options_that_it_does_not_take_are_refused(options: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        judge(mentions, ["tea"], **options)


def test_an_option_without_a_default_must_be_given():
    with pytest.raises(ValidationError, match="Field required"):
        judge(kind, ["Hello."])


def test_a_made_verifier_cannot_be_changed():
    made: Any = mentions.model_validate({})

    with pytest.raises(ValidationError, match="frozen"):
        made.word = "milk"


def test_a_verifier_of_one_function_can_be_sent_to_another_process():
    made = mentions.model_validate({"word": "milk"})

    assert pickle.loads(pickle.dumps(made)) == made  # noqa: S301


def many(record: Record, *words: str) -> bool:
    return bool(words)


def anything(record: Record, **options: str) -> bool:
    return bool(options)


def shadowing(record: Record, version: str = "2") -> bool:
    return bool(version)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (many, "wants options that have names, got '\\*words"),
        (anything, "wants options that have names, got '\\*\\*options"),
        (shadowing, "cannot call an option 'version'"),
    ],
)
def test_a_parameter_that_cannot_be_an_option_is_refused(function: Callable[..., bool], said: str):
    with pytest.raises(TypeError, match=said):
        verifier(function)


def test_judging_twice_numbers_records_apart():
    first, second = record("tea"), record("tea", number=1)

    assert first.id != second.id
    assert [v.outcome for v in judge(mentions, [first, second])] == ["pass", "pass"]
