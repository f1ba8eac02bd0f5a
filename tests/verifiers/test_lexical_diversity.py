"""MTLD by hand: whole factors, parts of factors, both directions, and texts without any."""

from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from synth.testing import VerifierContract, judge, record
from tests.verifiers.hostile import nothing_breaks

LIMIT = 0.28
"""What a share of different words falls by, from 1 to the default factor, 0.72."""


class TestContract(VerifierContract):
    verifier = "lexical_diversity"
    options: ClassVar = {"at_least": 10}
    must_pass: ClassVar = [
        "Nobody who had seen the old mill in winter would ever forget its frozen wheel.",
        "a b c d e f g",
    ]
    must_fail: ClassVar = ["a a a a a a", "Yes.", "no no no"]
    must_abstain: ClassVar = ["", "...", record(None)]


def mtld(text: str, **options: float) -> float:
    [verdict] = judge("lexical_diversity", [text], **options)
    assert verdict.score is not None
    return verdict.score


def test_a_factor_ends_where_the_share_of_different_words_falls_below():
    # Shares forward: 1, 1, 0.67 (a factor), 1, 1, 0.67 (a factor); backward the same.
    assert mtld("a b b a b b") == pytest.approx(6 / 2)


def test_what_is_left_counts_as_far_as_it_has_come():
    # Forward: `a a` is a factor, and `b c d b` has 3 of 4. Backward: 4 of 6 at the very end.
    forward = 6 / (1 + (1 - 3 / 4) / LIMIT)
    backward = 6 / 1

    assert mtld("a a b c d b") == pytest.approx((forward + backward) / 2)


def test_the_example_of_the_paper_ends_its_first_factor_at_the_second_people():
    # of the people by the people | for the people: no word of the rest stands twice.
    # Backward: people the for people the (0.6) | by people the of.
    assert mtld("of the people by the people for the people") == pytest.approx(9 / 1)


def test_a_share_that_equals_the_factor_does_not_end_it():
    # Three of four is 0.75; the fifth word makes it 3 of 5, both ways.
    assert mtld("a b c a b", factor=0.75) == pytest.approx(5 / 1)


def test_a_share_that_equals_the_factor_ends_none_whatever_the_factor():
    # After 25 words the share is 7 / 25: in doubles 0.28 * 25 is more than 7.
    text = "a b c d e f g" + " a" * 20

    assert mtld(text, factor=0.28) == pytest.approx((27 / 1 + 27 / 5) / 2)


def test_a_text_without_repetition_gets_what_one_repeated_word_would_give():
    assert mtld("a b c d e f g h i j") == pytest.approx(LIMIT * 100)
    assert mtld("a b c d e f g h i a") == pytest.approx(LIMIT * 100)
    assert mtld("once") == 1
    assert mtld("two words") == mtld("two two") == 2


def test_the_direction_counts_and_both_are_averaged():
    # Forward: `a a` is a factor and `b c` has come no way. Backward: `c b a` has come no way, then
    # 3 of 4 has come 0.25 of the 0.28.
    assert mtld("a a b c") == pytest.approx((4 / 1 + 4 / (0.25 / LIMIT)) / 2)


@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60))
def test_the_value_is_positive_finite_and_the_same_in_both_directions(letters: list[str]):
    value = mtld(" ".join(letters))

    assert 0 < value <= max(len(letters), LIMIT * len(letters) ** 2) + 1e-9
    assert value == mtld(" ".join(reversed(letters)))


def test_bounds_are_inclusive_and_the_reason_says_what_was_found():
    [verdict] = judge("lexical_diversity", ["a a a a"], at_least=2, at_most=2)
    [low] = judge("lexical_diversity", ["a a a a"], at_least=3)

    assert verdict.outcome == "pass"
    assert low.reason == "too_low: MTLD is 2, wants at least 3"
    assert low.evidence == {"words": 4}


def test_bounds_that_cross_are_refused():
    with pytest.raises(ValidationError, match="wants at_least ≤ at_most, got 5 and 3"):
        judge("lexical_diversity", ["a"], at_least=5, at_most=3)


def test_hostile_texts_get_finite_scores_soon():
    nothing_breaks("lexical_diversity")
