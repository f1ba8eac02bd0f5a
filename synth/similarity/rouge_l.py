"""ROUGE-L: how much of two texts' words stand in the same order.

Values are those of the package `rouge_score` (Lin, "ROUGE: A Package for Automatic Evaluation of
Summaries", 2004), without stemming unless asked for, which Self-Instruct and most of its
descendants use; so are words, unless others are asked for.

They are computed by compiled kernels, for two texts and for a million alike. Loading these takes
1 s at the first question, and 3 s where they were never compiled before: plain Python is as quick
for a pool that grows to some 1,000 texts, ten times slower for 3,000, and not worth a second way.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synth.similarity.words import Words, rouge_words

if TYPE_CHECKING:
    from synth.similarity.pooled import Pooled

_WAITING = 1024
"""Texts that wait as lists of words, ten times as large, before they become arrays."""


def rouge_l(one: str, other: str, *, words: Words = rouge_words) -> float:
    """Return the ROUGE-L F1 (0 to 1) of two texts; 0 if one of them has no words."""
    pool = Pool(words)
    pool.add(other)
    return pool.all(one)[0]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A text of a pool, by its number there, and how alike it is."""

    number: int
    f1: float


class Pool:
    """Texts that new ones are held against, in the order in which they were added.

    Memory for each text: 4 bytes a word and 48 more (see `pooled`). A question takes about a
    millisecond for a million short texts. Not for use by several threads at once.
    """

    def __init__(self, words: Words = rouge_words) -> None:
        self._words_of = words
        self._waiting: list[list[str]] = []
        self._pooled: Pooled | None = None
        self._size = 0

    def __len__(self) -> int:
        """How many texts it holds."""
        return self._size

    def add(self, text: str) -> int:
        """Take a text and return its number, from 0."""
        return self._add(self._words_of(text))

    def first_above(self, text: str, threshold: float) -> Neighbour | None:
        """Return the first text whose F1 with `text` is above `threshold`, or None."""
        return self.first_above_each([text], threshold, threads=1)[0]

    def first_above_each(
        self, texts: Sequence[str], threshold: float, *, threads: int | None = None
    ) -> list[Neighbour | None]:
        """Return for each of the texts the first one of the pool that is above `threshold`.

        The result does not depend on `threads`, by default one for each core.
        """
        asked = [self._words_of(text) for text in texts]
        return self._first_above(asked, threshold, 0, threads)

    def take_each(
        self, texts: Sequence[str], threshold: float, *, threads: int | None = None
    ) -> list[Neighbour | None]:
        """Do the same one text after the other, and add each that nothing is above for."""
        asked = [self._words_of(text) for text in texts]
        before = len(self)
        found = self._first_above(asked, threshold, 0, threads)
        for place, words in enumerate(asked):
            if found[place] is None and len(self) > before:
                [found[place]] = self._first_above([words], threshold, before, 1)
            if found[place] is None:
                self._add(words)
        return found

    def all(self, text: str) -> list[float]:
        """Return the F1 of `text` with each text of the pool, in order."""
        return self._flushed().each_f1(self._words_of(text)).tolist()

    def _add(self, words: list[str]) -> int:
        self._waiting.append(words)
        self._size += 1
        if len(self._waiting) >= _WAITING:
            self._flushed()
        return self._size - 1

    def _first_above(
        self, asked: Sequence[list[str]], threshold: float, since: int, threads: int | None
    ) -> list[Neighbour | None]:
        threads = threads or len(os.sched_getaffinity(0))
        found = self._flushed().first_above(asked, threshold, since=since, threads=threads)
        return [Neighbour(number, f1) if number >= 0 else None for number, f1 in found]

    def _flushed(self) -> Pooled:
        """Return the texts as arrays, with those that were added since."""
        if self._pooled is None:
            from synth.similarity.pooled import Pooled

            self._pooled = Pooled()
        if self._waiting:
            self._pooled.add(self._waiting)
            self._waiting = []
        return self._pooled


def nearest(values: list[float], most: int) -> list[Neighbour]:
    """Return the `most` highest of the values that `Pool.all` gave; the first of equal ones."""
    import numpy as np

    if most < 1:
        return []
    array = np.array(values, np.float64)
    at_least = np.partition(array, -most)[-most] if most < len(array) else -np.inf
    high = np.flatnonzero(array >= at_least)
    order: list[int] = high[np.argsort(-array[high], kind="stable")][:most].tolist()
    return [Neighbour(number, values[number]) for number in order]
