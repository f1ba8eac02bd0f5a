"""N-grams of a set in texts: the kernels against a few lines of Python, and texts of all sizes."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.similarity.ngrams import Ngrams
from synth.similarity.reading import Reading

WORDS = ["the", "Of", "a", "naïve", "größe", "数", "字", "c++", "1.5", "e\u0301", "한글", "𠀀", "…"]
texts = st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join)


def found(grams: Sequence[str], some: Sequence[str], reading: Reading) -> set[tuple[int, int]]:
    """Return pairs of a text and an n-gram that is in it."""
    lengths = sorted({len(gram.split()) for gram in grams})
    ngrams = Ngrams(grams, reading, lengths)
    hits = ngrams.found_in(some)
    numbers: dict[int, list[int]] = {}
    for gram, number in enumerate(ngrams.place.tolist()):
        numbers.setdefault(number, []).append(gram)
    pairs = zip(hits.texts.tolist(), hits.ngrams.tolist(), strict=True)
    return {(text, gram) for text, number in pairs for gram in numbers[number]}


@settings(max_examples=60, deadline=None)  # the first one may have to compile
@given(st.lists(texts, min_size=1, max_size=5), st.lists(texts, max_size=5), st.booleans())
def test_they_are_the_runs_of_words_that_both_have(
    some: list[str], sources: list[str], marks: bool
):
    reading = Reading(ngram=3, ignore_punctuation=not marks)
    runs = [run for text in sources for size in (1, 3) for run in grams(reading, text, size)]

    pairs = found(runs, some, reading)

    wanted = [{run for size in (1, 3) for run in grams(reading, text, size)} for text in some]
    assert pairs == {
        (text, gram)
        for text, held in enumerate(wanted)
        for gram, run in enumerate(runs)
        if run in held
    }


def grams(reading: Reading, text: str, size: int) -> list[str]:
    units = reading.plain(text).split()
    if units and units[0].startswith("\uffff"):  # a text without words, as it stands
        return []
    return [" ".join(units[at : at + size]) for at in range(len(units) - size + 1)]


def test_more_than_fits_into_one_piece_is_all_found():
    rng = random.Random(5)
    words = [f"w{number}" for number in range(50)]
    some = [" ".join(rng.choices(words, k=400)) for _ in range(1000)]
    some[500] = "w1 w2 " * 200_000
    reading = Reading(ngram=2)
    pairs = [f"{one} {other}" for one in words for other in words]

    hits = Ngrams(pairs, reading, [2]).found_in(some)

    held = [len(set(grams(reading, text, 2))) for text in some]
    assert np.bincount(hits.texts, minlength=len(some)).tolist() == held


@pytest.mark.parametrize(
    "text", ["a " * 500_000, "a" * 1_000_000, "\0" * 1_000_000, "数" * 330_000]
)
def test_a_megabyte_of_one_unit_holds_the_one_ngram_there_is(text: str):
    reading = Reading(ngram=3)
    units = reading.plain(text).split()

    pairs = found(["a a a", "数 数 数"], ["", text], reading)

    held = {"a a a": 0, "数 数 数": 1}.get(" ".join(units[:3]))
    assert pairs == (set() if held is None else {(1, held)})


def test_no_ngrams_and_no_texts_give_no_hits():
    assert found([], ["a b"], Reading(ngram=2)) == set()
    assert found(["a b"], [], Reading(ngram=2)) == set()


def test_each_pair_is_told_once_and_in_order():
    hits = Ngrams(["a b", "b a"], Reading(ngram=2), [2]).found_in(["b a b a b", "", "a b a"])

    assert hits.texts.tolist() == [0, 0, 2, 2]
    assert sorted(hits.ngrams.tolist()) == [0, 0, 1, 1]
