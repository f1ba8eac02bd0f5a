"""ROUGE-L as `rouge_score` has it, and pools that decide by it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer  # pyright: ignore[reportMissingTypeStubs]

from synth.similarity.rouge_l import Neighbour, Pool, nearest, rouge_l, rouge_words

SCORER = RougeScorer(["rougeL"], use_stemmer=False)
WORDS = [
    "write",
    "the",
    "a",
    "list",
    "of",
    "cat",
    "dog",
    "naïve",
    "größe",
    "数字",
    "C++",
    "3.14",
    "don't",
]


def reference(one: str, other: str) -> float:
    return SCORER.score(one, other)["rougeL"].fmeasure


def random_text(rng: random.Random, longest: int = 40) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(0, longest)))


def test_values_are_those_of_rouge_score_on_2000_random_pairs():
    rng = random.Random(1)
    pairs = [(random_text(rng), random_text(rng)) for _ in range(2000)]

    assert [rouge_l(*pair) for pair in pairs] == [reference(*pair) for pair in pairs]


@given(st.text(), st.text())
def test_values_are_those_of_rouge_score_for_any_text(one: str, other: str):
    assert rouge_l(one, other) == reference(one, other)


@pytest.mark.parametrize("text", ["", "…", "数字"])
def test_a_text_without_words_is_like_nothing(text: str):
    assert rouge_words(text) == []
    assert rouge_l(text, text) == 0.0


def test_a_pool_decides_as_rouge_score_does():
    rng = random.Random(2)
    pool, kept = Pool(), [random_text(rng, 12) for _ in range(150)]
    for text in kept:
        pool.add(text)

    for _ in range(150):
        asked = random_text(rng, 12)
        values = [reference(text, asked) for text in kept]
        above = [number for number, value in enumerate(values) if value > 0.7]
        found = pool.first_above(asked, 0.7)

        assert (found and found.number) == (above[0] if above else None)
        assert pool.all(asked) == pytest.approx(values, abs=1e-12)


def test_what_equals_the_threshold_is_not_above_it():
    pool = Pool()
    pool.add("a b c d e f g x y z")

    assert rouge_l("a b c d e f g x y z", "a b c d e f g 1 2 3") == 0.7
    assert pool.first_above("a b c d e f g 1 2 3", 0.7) is None
    assert pool.first_above("a b c d e f g 1 2 3", 0.69) == Neighbour(0, 0.7)


def test_the_nearest_come_first_and_the_earlier_of_equal_ones():
    assert nearest([0.1, 0.5, 0.5, 0.9], 3) == [
        Neighbour(3, 0.9),
        Neighbour(1, 0.5),
        Neighbour(2, 0.5),
    ]
