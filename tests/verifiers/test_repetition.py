"""Loops, repeated n-grams and endings: exact shares, linear time, no exception."""

from __future__ import annotations

import random
import time
from typing import ClassVar

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from synth.testing import VerifierContract, judge, record

CAT = "The cat sat on the mat near the old wooden door. "


class TestContract(VerifierContract):
    verifier = "repetition"
    must_pass: ClassVar = ["Yes.", "42", "A sentence that ends as it should.", "```\ncode\n```"]
    must_fail: ClassVar = [CAT * 9, "A sentence that ends before it comes to the", "Items:"]
    must_abstain: ClassVar = ["", " \n", record(None)]


def share(text: str, **options: int) -> float:
    [verdict] = judge("repetition", [text], complete=False, copies=10_000, **options)
    assert verdict.evidence is not None
    return verdict.evidence["repeated"]


def test_the_share_counts_characters_of_words_that_stood_there_before():
    assert share("ab cd ef ab cd gh", ngram=2) == pytest.approx(4 / 12, abs=1e-4)


def test_overlapping_ngrams_count_once():
    assert share("a b c d a b c d", ngram=2) == pytest.approx(0.5)


def test_a_text_shorter_than_an_ngram_repeats_nothing():
    assert share("a a a", ngram=4) == 0.0


def test_what_stands_in_code_and_tables_does_not_count():
    assert share(f"```\n{CAT * 20}\n```\nThat is all.\n| {CAT * 20} |") == 0.0


def test_a_loop_shows_its_unit():
    [verdict] = judge("repetition", ["Well. " + CAT * 9])

    assert verdict.reason.startswith("loop: the text ends with")
    assert verdict.evidence is not None
    assert verdict.evidence["unit"].strip() in CAT * 2


@pytest.mark.parametrize("copies", [4, 5])
def test_a_loop_needs_as_many_copies_as_the_option_says(copies: int):
    lines = "\n".join(["Another line that says the same."] * copies)

    [verdict] = judge("repetition", [lines], copies=5, max_repeated=1.0)

    assert verdict.outcome == ("fail" if copies == 5 else "pass")


def hostile_megabytes() -> dict[str, str]:
    drawn = random.Random(1)
    vocabulary = ["".join(drawn.choices("abcdefgh", k=6)) for _ in range(5000)]
    return {
        "words": " ".join(drawn.choices(vocabulary, k=150_000)),
        "Chinese": "".join(chr(drawn.randint(0x4E00, 0x9FFF)) for _ in range(350_000)),
        "items": "- a b c\n" * 120_000 + "- a b d",
        "nearly a loop": ("a" * 24 + "b") * 40_000 + "c" + "a" * 24,
        "marks": "x" + "*" * 1_000_000 + "y",
    }


@pytest.mark.parametrize("what", hostile_megabytes())
def test_time_does_not_grow_with_the_square_of_a_hostile_megabyte(what: str):
    text = hostile_megabytes()[what]
    began = time.process_time()

    judge("repetition", [text])

    # Under a second when linear, minutes when not: no measure of speed, and safe on a busy machine.
    assert time.process_time() - began < 20.0


@given(st.text(st.sampled_from("ab .|`-#*\n1。"), max_size=200))
@example("# \n*")
@example("|")
def test_any_text_gets_the_same_verdict_twice(text: str):
    assert judge("repetition", [text]) == judge("repetition", [text])


@given(st.text(max_size=60), st.integers(5, 9))
def test_a_text_said_again_and_again_is_never_passed(unit: str, copies: int):
    text = (unit + " and so it goes on, over and over; ") * copies

    [verdict] = judge("repetition", [text])

    assert verdict.outcome == "fail"
