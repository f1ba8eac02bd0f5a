"""ROUGE-L: how much of two texts' words stand in the same order.

Values are those of the package `rouge_score` without stemming (Lin, "ROUGE: A Package for Automatic
Evaluation of Summaries", 2004), which Self-Instruct and most of its descendants use; so are words,
unless others are asked for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from heapq import nlargest

from synth.similarity.words import Words, rouge_words

_SLACK = 1e-9
"""What rounding may move a value by: a bound decides alone only beyond it."""


def f1(common: int, one: int, other: int) -> float:
    """Return the F1 (0 to 1) of two texts of `one` and `other` words with `common` in order."""
    if not common:
        return 0.0
    precision, recall = common / other, common / one
    return 2 * precision * recall / (precision + recall)


def rouge_l(one: str, other: str) -> float:
    """Return the ROUGE-L F1 (0 to 1) of two texts; 0 if one of them has no words."""
    asked = _Asked(rouge_words(one))
    words = rouge_words(other)
    return f1(asked.in_order(words), asked.size, len(words))


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A text of a pool, by its number there, and how alike it is."""

    number: int
    f1: float


class _Asked:
    """The words of one text, ready to be held against many others."""

    def __init__(self, words: list[str]) -> None:
        self.size = len(words)
        self.counts = Counter(words)
        self._places: dict[str, int] = {}
        for place, word in enumerate(words):
            self._places[word] = self._places.get(word, 0) | 1 << place

    def in_order(self, words: list[str]) -> int:
        """Return the length of the longest common subsequence.

        Hyyrö's bit-parallel way ("Bit-Parallel LCS-length Computation Revisited", 2004): one bit a
        word of the asked text, one addition a word of the other.
        """
        every = (1 << self.size) - 1
        free = every
        for word in words:
            if places := self._places.get(word, 0):
                taken = free & places
                free = (free + taken | free - taken) & every
        return self.size - free.bit_count()

    def at_most(self, size: int, counts: Counter[str]) -> float:
        """Return what the F1 with a text cannot exceed: all words in common, in order."""
        return f1((self.counts & counts).total(), self.size, size)


class Pool:
    """Texts that new ones are held against, in the order in which they were added.

    Memory: a list of words and their counts for each text. Time of a question: the number of texts.
    """

    def __init__(self, words: Words = rouge_words) -> None:
        self._words_of = words
        self._words: list[list[str]] = []
        self._counts: list[Counter[str]] = []

    def __len__(self) -> int:
        """How many texts it holds."""
        return len(self._words)

    def add(self, text: str) -> int:
        """Take a text and return its number, from 0."""
        words = self._words_of(text)
        self._words.append(words)
        self._counts.append(Counter(words))
        return len(self._words) - 1

    def first_above(self, text: str, threshold: float) -> Neighbour | None:
        """Return the first text whose F1 with `text` is above `threshold`, or None."""
        asked = _Asked(self._words_of(text))
        for number, words in enumerate(self._words):
            # Two lengths alone often decide, and cost nothing; counting what is common does.
            if 2 * min(asked.size, len(words)) < (threshold - _SLACK) * (asked.size + len(words)):
                continue
            if asked.at_most(len(words), self._counts[number]) < threshold - _SLACK:
                continue
            value = f1(asked.in_order(words), asked.size, len(words))
            if value > threshold:
                return Neighbour(number, value)
        return None

    def all(self, text: str) -> list[float]:
        """Return the F1 of `text` with each text of the pool, in order."""
        asked = _Asked(self._words_of(text))
        return [f1(asked.in_order(words), asked.size, len(words)) for words in self._words]


def nearest(values: list[float], most: int) -> list[Neighbour]:
    """Return the `most` highest of the values that `Pool.all` gave; the first of equal ones."""
    found = nlargest(most, range(len(values)), key=lambda number: (values[number], -number))
    return [Neighbour(number, values[number]) for number in found]
