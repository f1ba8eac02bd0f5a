"""A field's value: options that ask for nothing are refused, the score is the value."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from synth.testing import VerifierContract, judge, record


class TestContract(VerifierContract):
    verifier = "field"
    options: ClassVar = {"of": "score", "at_least": 2}
    must_pass: ClassVar = [record("Yes.", fields={"score": 2})]
    must_fail: ClassVar = [record("Yes.", fields={"score": 1.5})]
    must_abstain: ClassVar = [record("Yes."), record("Yes.", fields={"score": "high"})]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"of": "score"}, "at least one of equals, one_of, above"),
        ({"of": "score", "equals": 1, "one_of": [2]}, "`equals` or `one_of`, not both"),
        ({"of": "", "equals": 1}, "at least 1 character"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        judge("field", ["Yes."], **options)


def test_the_reason_says_what_was_found_and_what_was_wanted():
    [verdict] = judge("field", [record("Yes.", fields={"side": "left"})], of="side", equals="right")

    assert verdict.reason == "other_value: 'side' is 'left', wants 'right'"


def test_a_number_becomes_the_score():
    [verdict] = judge("field", [record("Yes.", fields={"score": 3})], of="score", at_least=1)

    assert verdict.score == 3.0


def test_a_number_too_large_for_a_float_is_not_judged():
    [verdict] = judge("field", [record("Yes.", fields={"n": 10**400})], of="n", at_least=1)

    assert verdict.reason.startswith("not_a_number: ")
