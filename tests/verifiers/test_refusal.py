"""Refusals: where they are looked for, and what the verdict shows."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from synth.testing import VerifierContract, judge, record


class TestContract(VerifierContract):
    verifier = "refusal"
    must_pass: ClassVar = ["Paris is the capital of France.", "She said 'I can't help you'."]
    must_fail: ClassVar = ["I can't help with that.", "As an AI, I have no view."]
    must_abstain: ClassVar = ["", record(None)]


def test_the_verdict_shows_phrase_and_sentence():
    [verdict] = judge("refusal", ["Oh dear. I'm sorry, but I **can’t assist** with that request."])

    assert verdict.evidence == {
        "phrase": "i can't assist with",
        "sentence": "i'm sorry, but i can't assist with that request.",
    }
    assert verdict.reason == 'refusal: the reply begins with "i can\'t assist with"'


def test_an_unknown_language_is_refused():
    with pytest.raises(ValidationError, match="'en', 'de', 'fr', 'es' or 'zh'"):
        judge("refusal", ["Hello."], languages=["xx"])


def test_an_empty_extra_phrase_is_refused():
    with pytest.raises(ValidationError, match="at least 1 character"):
        judge("refusal", ["Hello."], extra=[""])


@given(st.text(st.sampled_from("i can't help \"“”'.\n>`as an ai,我不能"), max_size=120))
def test_any_text_gets_the_same_verdict_twice(text: str):
    assert judge("refusal", [text]) == judge("refusal", [text])


@given(st.text(st.characters(exclude_characters='"', exclude_categories=["Cs", "Cc"]), max_size=60))
def test_what_somebody_else_says_is_no_refusal(said: str):
    [verdict] = judge("refusal", [f'The guard said "{said} I can\'t help with that" and left.'])

    assert verdict.outcome == "pass"
