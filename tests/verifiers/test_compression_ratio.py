"""Compression: exact sizes, bounds, and texts of any kind."""

from __future__ import annotations

import zlib
from typing import ClassVar

import pytest
from pydantic import ValidationError

from synth.testing import VerifierContract, judge, record
from tests.verifiers.hostile import nothing_breaks


class TestContract(VerifierContract):
    verifier = "compression_ratio"
    options: ClassVar = {"at_least": 0.5, "at_most": 5}
    must_pass: ClassVar = ["A sentence of some words that is not repeated.", "Yes."]
    must_fail: ClassVar = ["ha" * 500, "The cat sat on the mat. " * 50]
    must_abstain: ClassVar = ["", " \n", record(None)]


def test_the_ratio_is_that_of_bytes_before_and_after():
    text = "über " * 40

    [verdict] = judge("compression_ratio", [text])

    packed = zlib.compress(text.encode(), 6, -15)
    assert verdict.score == pytest.approx(240 / len(packed))
    assert verdict.evidence == {"bytes": 240, "compressed": len(packed)}
    assert zlib.decompress(packed, -15).decode() == text


def test_a_loop_has_more_the_longer_it_is_and_at_most_a_thousand():
    ratios = [judge("compression_ratio", ["ab" * size])[0].score or 0 for size in (10, 1000, 10**6)]

    assert ratios == sorted(ratios)
    assert 2 < ratios[0] < 10 < ratios[1] < ratios[2] < 1100


def test_the_reason_says_what_was_found():
    [verdict] = judge("compression_ratio", ["a" * 100], at_most=2)

    assert verdict.reason == "too_high: the compression ratio is 16.67, wants at most 2"


def test_bounds_that_cross_are_refused():
    with pytest.raises(ValidationError, match="wants at_least ≤ at_most, got 5 and 3"):
        judge("compression_ratio", ["a"], at_least=5, at_most=3)


def test_hostile_texts_get_finite_scores_soon():
    nothing_breaks("compression_ratio")
