"""Readability: the published formulas, and what counts as a sentence and a syllable."""

from __future__ import annotations

from typing import ClassVar

import pytest
from pydantic import ValidationError

from synth.testing import VerifierContract, judge, record
from tests.verifiers.hostile import nothing_breaks

SYLLABLES = {
    1: "make walked the through strength makes judged be boxed sighed don't eye tree cats",
    2: "little wanted boxes lion layer being table movement prism didn't sometimes lonely client",
    3: "beautiful radio various animal another policy",
    4: "information education community situation",
    5: "international university organisation",
}


class TestContract(VerifierContract):
    verifier = "readability"
    options: ClassVar = {"at_most": 8}
    must_pass: ClassVar = ["The cat sat on the mat. It was glad.", "Go."]
    must_fail: ClassVar = ["Methodological heterogeneity complicates interpretation."]
    must_abstain: ClassVar = ["", "42", "这是一个句子。", "```\ncode\n```", record(None)]


def counted(text: str) -> tuple[float, float, float]:
    """Return the numbers of words, sentences and syllables."""
    [verdict] = judge("readability", [text])
    assert verdict.evidence is not None
    return tuple(verdict.evidence[name] for name in ("words", "sentences", "syllables"))  # pyright: ignore[reportReturnType]


def test_the_scores_are_the_published_formulas():
    [by_grade] = judge("readability", ["The tiger ran. It ran into the forest."])
    [by_ease] = judge("readability", ["The tiger ran. It ran into the forest."], formula="ease")

    # 8 words, 2 sentences, 11 syllables: ti-ger, in-to, for-est.
    grade = 0.39 * 8 / 2 + 11.8 * 11 / 8 - 15.59
    ease = 206.835 - 1.015 * 8 / 2 - 84.6 * 11 / 8
    assert by_grade.score == pytest.approx(grade)
    assert by_ease.score == pytest.approx(ease)
    assert by_grade.evidence == by_ease.evidence
    assert by_grade.evidence == {
        "grade": round(grade, 2),
        "ease": round(ease, 2),
        "words": 8,
        "sentences": 2,
        "syllables": 11,
    }


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two? Three! Four…", 4),
        ("Wait... What?!", 2),
        ("Dr. No met J. S. Bach and Mrs. Dalloway.", 1),
        ("It costs 3.14 dollars, e.g. in a shop.", 1),
        ('"Who is it?" she asked. "Me."', 2),
        ("# A heading\nA line that is broken\nin the middle.", 1),
        ("# A heading\n\nA paragraph\n\n- an item\n- another\n1. a third", 5),
        ("No mark at all", 1),
        ("好 yes。ok！fine", 3),
    ],
)
def test_sentences_end_at_marks_and_blocks(text: str, sentences: int):
    assert counted(text)[1] == sentences


@pytest.mark.parametrize(("count", "words"), SYLLABLES.items())
def test_syllables_are_told_by_letters(count: int, words: str):
    wrong = {word for word in words.split() if counted(word)[2] != count}

    assert not wrong


def test_code_and_tables_are_left_out():
    plain = "Run it. Then wait."

    assert counted(plain + "\n```\nlong_names_everywhere()\n```\n| a | b |") == counted(plain)


def test_a_word_without_end_counts_by_its_beginning():
    assert counted("ba" * 100_000) == (1, 1, 20)


def test_bounds_that_cross_are_refused():
    with pytest.raises(ValidationError, match="wants at_least ≤ at_most, got 5 and 3"):
        judge("readability", ["a"], at_least=5, at_most=3)


def test_hostile_texts_get_finite_scores_soon():
    nothing_breaks("readability")
