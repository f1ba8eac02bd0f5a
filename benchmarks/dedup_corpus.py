"""A corpus with planted near-duplicates, and the truth about them.

Words follow Zipf's law and a first-order Markov chain: each of 50,000 words has 40 usual followers.
A word is written in one way only (some have a capital, some a comma or a full stop), so that tokens
between spaces and words without case and punctuation are one to one, and the exact similarity can
be computed from the former, by Python's sets, without the tokeniser that is measured.

A quarter of the documents are variants of another one, in clusters of 2 to 7: so many words are
replaced that the Jaccard similarity of the word 5-grams is as near as can be to 1, 0.95, 0.9, 0.85,
0.8, 0.7 or 0.6.
"""
# pyarrow publishes no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

NEAR = 0.8
LEVELS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6)
_WORDS = 50_000
_FOLLOWERS = 40
_BATCH = 50_000
_ROW_GROUP = 100_000
_GRAM = 5
_CHECKED_CLUSTERS = 20_000

Ids = NDArray[np.int64]


def write(folder: Path, documents: int, seed: int = 5) -> Path:
    """Write `corpus.parquet` (column `text`) and `truth.npz` into the folder; return the former.

    The truth: for pairs of rows of at most 20,000 clusters, `earlier`, `later` and `similarity`.
    """
    drawn = np.random.default_rng(seed)
    vocabulary, chain = _vocabulary(drawn), _Chain(drawn)
    originals = _originals(drawn, documents)
    place = drawn.permutation(documents)
    texts = np.empty(documents, object)
    truth: list[tuple[int, int, float]] = []
    done = 0
    for start in range(0, len(originals), _BATCH):
        for cluster in _clusters(drawn, chain, originals[start : start + _BATCH]):
            rows = place[done : done + len(cluster)].tolist()
            done += len(cluster)
            texts[rows] = _written(vocabulary, cluster)
            if len(rows) > 1 and len(truth) < 4 * _CHECKED_CLUSTERS:
                truth += _pairs(rows, texts)
    corpus = folder / "corpus.parquet"
    table = pa.table({"text": pa.array(texts, pa.string())})
    pq.write_table(table, corpus, row_group_size=_ROW_GROUP)
    earlier, later, similarity = (np.array(side) for side in zip(*truth, strict=True))
    np.savez(folder / "truth.npz", earlier=earlier, later=later, similarity=similarity)
    about = {"documents": documents, "text_bytes": table.nbytes, "pairs": len(truth)}
    (folder / "about.json").write_text(json.dumps(about))
    return corpus


def similarity(one: str, other: str) -> float:
    """Return the exact Jaccard similarity of the 5-grams of what stands between spaces."""
    grams, others = _grams(one), _grams(other)
    return len(grams & others) / len(grams | others)


def _grams(text: str) -> set[tuple[str, ...]]:
    words = text.split(" ")
    return set(zip(*(words[place:] for place in range(_GRAM)), strict=False))


def _pairs(rows: list[int], texts: NDArray[np.object_]) -> Iterator[tuple[int, int, float]]:
    for earlier, later in combinations(sorted(rows), 2):
        yield earlier, later, similarity(texts[earlier], texts[later])


def _vocabulary(drawn: np.random.Generator) -> pa.Array:
    words: dict[str, None] = {}
    while len(words) < _WORDS:
        letters = drawn.choice(list("etaoinshrdlucmfwypvbgkqjxz"), int(drawn.integers(2, 11)))
        words["".join(letters)] = None
    marks = drawn.choice(["", ",", "."], len(words), p=[0.9, 0.06, 0.04])
    capital = drawn.random(len(words)) < 0.08
    return pa.array(
        [
            (word.capitalize() if large else word) + mark
            for word, mark, large in zip(words, marks, capital, strict=True)
        ]
    )


class _Chain:
    """Which word follows which."""

    def __init__(self, drawn: np.random.Generator) -> None:
        ranks = np.arange(1, _WORDS + 1)
        self._all = np.cumsum(1 / ranks**1.05)
        self._some = np.cumsum(1 / np.arange(1, _FOLLOWERS + 1))
        self._followers = self._any(drawn, (_WORDS, _FOLLOWERS))
        self._drawn = drawn

    def _any(self, drawn: np.random.Generator, shape: tuple[int, ...]) -> Ids:
        return np.searchsorted(self._all, drawn.random(shape) * self._all[-1])

    def any(self, count: int) -> Ids:
        """Return words by their frequency alone."""
        return self._any(self._drawn, (count,))

    def documents(self, lengths: Ids) -> Ids:
        """Return (documents, longest) words; those beyond a document's length mean nothing."""
        made = np.empty((len(lengths), int(lengths.max())), np.int64)
        made[:, 0] = self.any(len(lengths))
        for place in range(1, made.shape[1]):
            chosen = self._drawn.random(len(lengths)) * self._some[-1]
            usual = self._followers[made[:, place - 1], np.searchsorted(self._some, chosen)]
            rare = self._drawn.random(len(lengths)) < 0.2
            made[:, place] = np.where(rare, self.any(len(lengths)), usual)
        return made


def _originals(drawn: np.random.Generator, documents: int) -> Ids:
    """Return the size of each cluster, 1 for most: a quarter of the documents are variants."""
    sizes = drawn.integers(2, 8, documents)
    count = int(np.searchsorted(np.cumsum(sizes - 1), documents // 4))
    sizes = sizes[:count]
    alone = np.ones(documents - int(sizes.sum()), np.int64)
    return drawn.permutation(np.concatenate([sizes, alone]))


def _clusters(drawn: np.random.Generator, chain: _Chain, sizes: Ids) -> Iterator[list[Ids]]:
    """Yield each original with its variants, as words."""
    lengths = np.clip(drawn.lognormal(4.75, 0.4, len(sizes)), 50, 300).astype(np.int64)
    made = chain.documents(lengths)
    for row, size in enumerate(sizes.tolist()):
        words = made[row, : lengths[row]]
        variants = [
            _variant(drawn, chain, words, level)
            for level in drawn.choice(LEVELS, size - 1).tolist()
        ]
        yield [words, *variants]


def _variant(drawn: np.random.Generator, chain: _Chain, words: Ids, level: float) -> Ids:
    """Return the words with as many replaced as bring the similarity to about `level`.

    A word in the middle stands in five 5-grams, one at the beginning in fewer; G of which D differ
    have a similarity of (G - D) / (G + D).
    """
    grams = len(words) - _GRAM + 1
    inside, left = divmod(round(grams * (1 - level) / (1 + level)), _GRAM)
    slots = np.arange(2 * _GRAM, len(words) - _GRAM, _GRAM)
    places = drawn.choice(slots, inside, replace=False)
    if left:
        places = np.append(places, left - 1)
    variant = words.copy()
    if len(places):
        variant[places] = (words[places] + 1 + chain.any(len(places)) % (_WORDS - 1)) % _WORDS
    return variant


def _written(vocabulary: pa.Array, cluster: list[Ids]) -> list[str]:
    borders = np.cumsum([0, *map(len, cluster)])
    words = vocabulary.take(pa.array(np.concatenate(cluster)))
    return pc.binary_join(pa.ListArray.from_arrays(borders, words), " ").to_pylist()
