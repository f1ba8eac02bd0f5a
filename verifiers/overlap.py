"""How much of each test item stands in a text, by n-grams that both have."""
# numpy's arrays come from untyped kernels.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth.similarity.ngrams import Ngrams
from synth.similarity.reading import Reading
from synth.similarity.words import UNSPACED

_AS_IT_STANDS = "\uffff"
"""How a reading begins what it has no words for."""
_FAR = 1 << 40
_UNSPACED = re.compile(f"[{UNSPACED}]")


class Shared(NamedTuple):
    """What a text shares with parts: arrays, as a phrase may stand in thousands of them."""

    parts: NDArray[np.int64]
    """Their numbers, in order, each once."""
    coverages: NDArray[np.float64]
    """The share (0 to 1) of each part's words that lie in an n-gram which the text has, too. What
    stands between white space is a word here: `1.5` counts as one, though it is read as two, and
    `==` as one, though it is read over. Where a script has no spaces each character is a word."""

    def above(self, least: float) -> Shared:
        """Return the parts of which there is more than `least`, and the first with the most."""
        kept = self.coverages > least
        kept[self.coverages.argmax()] = True
        return Shared(self.parts[kept], self.coverages[kept])


class Parts:
    """Parts of test items, ready to be looked for in texts.

    A part of fewer than `n` units is looked for whole; one of fewer than `least` is not looked for:
    what so few words say belongs to nobody.
    """

    def __init__(self, parts: Sequence[str], reading: Reading, *, least: int) -> None:
        words = [reading.plain(part).split() for part in parts]
        sizes = np.array([len(one) for one in words], np.int64)
        long = [one if len(one) >= least else [] for one in words]
        grams = [gram for one in long for gram in _grams(one, reading.ngram)]
        self._lengths = np.minimum(sizes, reading.ngram)
        self._ngrams = Ngrams(grams, reading, sorted(set(self._lengths[sizes >= least].tolist())))
        order = np.argsort(self._ngrams.place, kind="stable")
        self._firsts = np.concatenate([[0], np.cumsum(sizes)])
        self._part_of = np.repeat(np.arange(len(parts)), sizes)
        self._begins = self._begun(sizes >= max(least, 1))[order]
        last = self._ngrams.place.max(initial=-1)
        self._starts = np.searchsorted(self._ngrams.place[order], np.arange(last + 2))
        weights = [_weights(part, one, reading) for part, one in zip(parts, words, strict=True)]
        of_units = _flat([units for units, _ in weights])
        self._after = _flat([after for _, after in weights])
        self._weighed = np.concatenate([[0.0], np.cumsum(of_units + self._after)])

    def _begun(self, long: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the places, in all parts' units one after the other, where n-grams begin."""
        places = np.arange(len(self._part_of))
        fits = places + self._lengths[self._part_of] <= self._firsts[self._part_of + 1]
        return places[fits & long[self._part_of]]

    def shared(self, texts: Sequence[str]) -> Iterator[tuple[int, Shared]]:
        """Yield each text, by its place, that shares n-grams with parts, and what.

        Texts that share nothing are left out.
        """
        hits = self._ngrams.found_in(texts)
        found: Any = np.unique(hits.texts, return_index=True, return_counts=True)
        for place, start, count in zip(*(one.tolist() for one in found), strict=True):
            yield place, self._covered(hits.ngrams[start : start + count])

    def _covered(self, ngrams: NDArray[np.int64]) -> Shared:
        runs = zip(self._starts[ngrams].tolist(), self._starts[ngrams + 1].tolist(), strict=True)
        begins: Any = np.sort(np.concatenate([self._begins[start:stop] for start, stop in runs]))
        parts = self._part_of[begins]
        lengths = self._lengths[parts]
        news = parts[1:] != parts[:-1]
        steps = np.where(np.append(news, True), _FAR, np.diff(begins, append=0))
        units = np.minimum(steps, lengths)
        covered = self._weighed[begins + units] - self._weighed[begins]
        # What follows the last word of a run lies in no n-gram.
        covered -= np.where(steps >= lengths, self._after[begins + units - 1], 0.0)
        firsts = np.flatnonzero(np.append(True, news))
        named = parts[firsts]
        whole = self._weighed[self._firsts[named + 1]] - self._weighed[self._firsts[named]]
        return Shared(named, np.minimum(np.add.reduceat(covered, firsts) / whole, 1.0))


def _grams(words: Sequence[str], n: int) -> list[str]:
    """Return runs of n words; fewer words are one run."""
    if not words:
        return []
    return [" ".join(words[at : at + n]) for at in range(max(len(words) - n, 0) + 1)]


def _weights(part: str, words: Sequence[str], reading: Reading) -> tuple[list[float], list[float]]:
    """Return what each unit weighs, and what the words weigh that follow it and are read over."""
    weights, after = list[float](), list[float]()
    for word in part.split():
        of_word = _of_word(word, reading)
        weights += of_word
        after += [0.0] * len(of_word)
        if not of_word and after:
            after[-1] += 1.0
    if len(weights) != len(words):  # what is one character alone may be another beside others
        return [1.0] * len(words), [0.0] * len(words)
    return weights, [*after[:-1], *(0.0 for _ in after[-1:])]


@lru_cache(maxsize=1 << 16)
def _of_word(word: str, reading: Reading) -> tuple[float, ...]:
    """Return what the units of a word weigh: together one, or one each in a script without spaces.

    A word without letters and digits may have none.
    """
    units = reading.plain(word).split()
    if word and units[0].startswith(_AS_IT_STANDS):
        return ()
    each = any(_UNSPACED.fullmatch(unit) for unit in units)
    return (1.0 if each else 1 / len(units),) * len(units)


def _flat(lists: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    return np.array([one for some in lists for one in some], np.float64)
