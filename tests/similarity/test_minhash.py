"""Signatures are datasketch's, bands find what they promise."""

# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import numpy as np
import pytest
from datasketch import MinHash
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.similarity import bands
from synth.similarity.jaccard import jaccards
from synth.similarity.minhash import permutations, signatures, tags
from synth.similarity.shingles import Shingles

NUMBERS = st.integers(1, 2**64 - 1)
DOCUMENTS = st.lists(st.lists(NUMBERS, max_size=40, unique=True), min_size=1, max_size=6)


def shingles(documents: list[list[int]]) -> Shingles:
    counts = np.array([len(document) for document in documents], np.int64)
    numbers = np.array([number for document in documents for number in document], np.uint64)
    return Shingles(numbers, np.cumsum(counts) - counts, counts, np.ones(len(counts), np.uint64))


@settings(max_examples=40, deadline=None)
@given(DOCUMENTS, st.sampled_from([2, 16, 128, 131]))
def test_signatures_are_those_of_datasketch(documents: list[list[int]], count: int):
    signed = signatures(shingles(documents), permutations(count))

    for document, signature in zip(documents, signed, strict=True):
        theirs = MinHash(count, seed=1, scheme="affine32", hashfunc=lambda number: number >> 32)
        if document:
            theirs.update_batch(document)
        assert signature.tobytes() == theirs.digest().tobytes()


def test_signatures_of_the_default_scheme_of_datasketch_are_meant():
    theirs = MinHash(128)

    factors, offsets = permutations(128)

    assert theirs.scheme == "affine32"
    assert np.asarray(theirs.permutations).tolist() == [factors.tolist(), offsets.tolist()]


def test_tags_are_equal_where_all_rows_of_a_band_are():
    one = np.arange(12, dtype=np.uint32)
    other = one.copy()
    other[[3, 11]] = 99

    both = tags(np.stack([one, other]), 4, 3)

    assert (both[:, 0] == both[:, 1]).tolist() == [True, False, True, False]


@settings(max_examples=40, deadline=None)
@given(st.lists(NUMBERS, min_size=1, unique=True), st.lists(NUMBERS, min_size=1, unique=True))
def test_the_similarity_is_shared_over_all(one: list[int], other: list[int]):
    other = list(dict.fromkeys(one[: len(one) // 2] + other))
    into = np.empty(2)

    places = np.array([0, 1]), np.array([1, 0])
    jaccards(*places, shingles([one, other]), into)

    wanted = len({*one} & {*other}) / len({*one} | {*other})
    assert into.tolist() == [wanted, wanted]


@pytest.mark.parametrize(
    ("threshold", "permutations", "wanted"),
    [(0.8, 128, (25, 5)), (1.0, 128, (2, 64)), (0.9, 128, (16, 8)), (0.01, 16, (16, 1))],
)
def test_bands_are_the_most_selective_that_find_enough(
    threshold: float, permutations: int, wanted: tuple[int, int]
):
    assert bands.chosen(threshold, permutations) == wanted


def test_what_bands_promise_is_what_they_find():
    drawn = np.random.default_rng(3)
    numbers = drawn.integers(1, 2**63, (400, 90), dtype=np.uint64)
    documents = [row.tolist() for block in numbers for row in (block[:80], block[10:])]
    signed = signatures(shingles(documents), permutations(24))

    met = tags(signed, 4, 6)[:, ::2] == tags(signed, 4, 6)[:, 1::2]

    assert met.any(axis=0).mean() == pytest.approx(bands.found(70 / 90, 4, 6), abs=0.08)
