"""Patterns: what cannot be one is refused, the evidence says what was found where."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from synth.testing import VerifierContract, judge, record


class TestContract(VerifierContract):
    verifier = "pattern"
    options: ClassVar = {"forbids": [r":\s*$"], "wants": [r"\w"]}
    must_pass: ClassVar = ["Whole.", "a: b"]
    must_fail: ClassVar = ["", "As follows:", "As follows: \n"]
    must_abstain: ClassVar = [record(None), []]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "at least one pattern in `wants` or `forbids`"),
        ({"wants": ["("]}, r"wants a regular expression, got '\('"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        judge("pattern", ["Yes."], **options)


def test_the_evidence_says_what_was_found_and_where():
    [verdict] = judge("pattern", ["I like TODO lists"], forbids=["todo"], ignore_case=True)

    assert verdict.evidence == {"pattern": "todo", "found": "TODO", "at": 7}
    assert verdict.reason == "forbidden_pattern: 'TODO' in the reply matches 'todo'"
