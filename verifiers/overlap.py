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
    """What a text shares with a part."""

    part: int
    coverage: float
    """The share (0 to 1) of the part's words that lie in an n-gram which the text has, too. What
    stands between white space is a word here: `1.5` counts as one, though it is read as two, and
    `==` as one, though it is read over. Where a script has no spaces each character is a word."""


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
        owners = [
            (part, place)
            for part, one in enumerate(long)
            for place in range(len(_grams(one, reading.ngram)))
        ]
        self._lengths = np.minimum(sizes, reading.ngram)
        self._ngrams = Ngrams(grams, reading, sorted(set(self._lengths[sizes >= least].tolist())))
        order = np.argsort(self._ngrams.place, kind="stable")
        self._owners = np.array(owners, np.int64).reshape(-1, 2)[order]
        last = self._ngrams.place.max(initial=-1)
        self._starts = np.searchsorted(self._ngrams.place[order], np.arange(last + 2))
        weights = [_weights(part, one, reading) for part, one in zip(parts, words, strict=True)]
        of_units, self._after = (_flat(some) for some in zip(*weights, strict=True))
        self._firsts = np.concatenate([[0], np.cumsum(sizes)])
        self._weighed = np.concatenate([[0.0], np.cumsum(of_units + self._after)])

    def shared(self, texts: Sequence[str]) -> Iterator[tuple[int, list[Shared]]]:
        """Yield each text, by its place, that shares n-grams with parts, and what, in their order.

        Texts that share nothing are left out.
        """
        hits = self._ngrams.found_in(texts)
        found: Any = np.unique(hits.texts, return_index=True, return_counts=True)
        for place, start, count in zip(*(one.tolist() for one in found), strict=True):
            yield place, self._covered(hits.ngrams[start : start + count])

    def _covered(self, ngrams: NDArray[np.int64]) -> list[Shared]:
        runs = zip(self._starts[ngrams].tolist(), self._starts[ngrams + 1].tolist(), strict=True)
        owners = [self._owners[start:stop] for start, stop in runs]
        found: Any = np.unique(np.concatenate(owners), axis=0)
        parts, at = found[:, 0], found[:, 1]
        lengths = self._lengths[parts]
        steps = np.where(np.append(parts[1:] != parts[:-1], True), _FAR, np.diff(at, append=0))
        begins, units = self._firsts[parts] + at, np.minimum(steps, lengths)
        covered = self._weighed[begins + units] - self._weighed[begins]
        # What follows the last word of a run lies in no n-gram.
        covered -= np.where(steps >= lengths, self._after[begins + units - 1], 0.0)
        firsts = np.flatnonzero(np.append(True, parts[1:] != parts[:-1]))
        named = parts[firsts]
        whole = self._weighed[self._firsts[named + 1]] - self._weighed[self._firsts[named]]
        shares = np.minimum(np.add.reduceat(covered, firsts) / whole, 1.0)
        return [Shared(*one) for one in zip(named.tolist(), shares.tolist(), strict=True)]


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
