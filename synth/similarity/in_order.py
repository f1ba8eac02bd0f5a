"""How many words two texts have in common in the same order: exact, after bounds that cost less.

A text is a list of numbers of words, and has marks: a bit for each of its words, chosen by the word
and by how often it came before. What is in common sets a bit in both texts, unless it shares its
bit with another word; so the bits that both have, and the words without a bit of their own, bound
it from above. What the bounds leave open is counted bit by bit (Hyyrö, "Bit-Parallel LCS-Length
Computation Revisited", 2004), 64 words of one text at a time: texts may have any length.
"""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportMissingTypeStubs=false, reportUntypedFunctionDecorator=false

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from numba.core import types
from numba.extending import intrinsic
from numpy.typing import NDArray

from synth.similarity.kernels import inlined, kernel

Words = NDArray[np.int32]
MARKS = 4
"""64-bit numbers that the marks of a text take."""
_BITS = 64
_ONE = np.uint64(1)
_ZERO = np.uint64(0)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
_LOW = np.uint64(63)
_SIX = np.uint64(6)
_MIXER = np.uint64(0xD6E8FEB86659FD93)
_START = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)
_LAST = np.uint64(MARKS * _BITS - 1)
_AT_ONCE = 256
"""Texts whose bounds are computed together: as machine code that takes several at a time."""
_SHARES = 1 << 20
"""A threshold is rounded down to one of so many shares, so that bounds are whole numbers."""


class Texts(NamedTuple):
    """Texts by number: text `i` has the words `words[bounds[i] : bounds[i + 1]]`."""

    words: Words
    bounds: NDArray[np.int64]
    sizes: NDArray[np.int32]
    """How many words each has. An asked text may have more than are in `words`: those that no text
    of the pool has are left out."""
    spare: NDArray[np.int32]
    """How many words of each, of those in `words`, have no bit of their own."""
    marks: NDArray[np.uint64]
    """(4, at least as many as there are texts)"""


class Scratch(NamedTuple):
    """Room to work in, zero for each word between questions; each thread needs its own."""

    places: NDArray[np.uint64]
    """For each word, where the asked text has it: a bit for each of up to 64 places."""
    counts: NDArray[np.int32]
    """For each word, how often the asked text has it."""


@intrinsic
def _popcount(typing: Any, number: Any) -> Any:
    def machine_code(context: Any, builder: Any, signature: Any, given: Any) -> Any:
        return builder.ctpop(given[0])

    return types.uint64(types.uint64), machine_code


_ones = cast("Callable[[Any], np.uint64]", _popcount)
"""Returns how many bits of a 64-bit number are set."""


@inlined
def f1(common: int, one: int, other: int) -> float:
    """Return the F1 (0 to 1) of two texts of `one` and `other` words with `common` in order."""
    if not common:
        return 0.0
    precision, recall = common / other, common / one
    return 2 * precision * recall / (precision + recall)


@inlined
def _words(texts: Texts, text: int) -> Words:
    return texts.words[texts.bounds[text] : texts.bounds[text + 1]]


@kernel
def mark(texts: Texts, first: int, counts: NDArray[np.int32]) -> None:
    """Set marks and spare of the texts from number `first` on; `counts` is as in `Scratch`."""
    for text in range(first, len(texts.sizes)):
        words = _words(texts, text)
        texts.marks[:, text] = _ZERO
        texts.spare[text] = len(words)
        for word in words:
            place = _place(word, int(counts[word]))
            row, bit = place >> _SIX, _ONE << (place & _LOW)
            texts.spare[text] -= np.int32(texts.marks[row, text] & bit == _ZERO)
            texts.marks[row, text] |= bit
            counts[word] += 1
        for word in words:
            counts[word] = 0


@inlined
def _place(word: int, before: int) -> np.uint64:
    bits = np.uint64(word) + np.uint64(before) * _START
    bits = (bits ^ (bits >> _HALF)) * _MIXER
    bits = (bits ^ (bits >> _HALF)) * _MIXER
    return (bits >> _HALF) & _LAST


@kernel
def first_above(
    asked: Texts,
    turn: tuple[int, int],
    pool: Texts,
    above: tuple[float, int],
    scratch: Scratch,
    found: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> None:
    """Note the number and F1 of the first text of the pool that each asked one is too like.

    `turn`: the first one asked, and how many to go on by. `above`: the F1 to be exceeded, and the
    first text of the pool that counts. `found`: -1 and 0 where there is none.
    """
    may = np.empty(_AT_ONCE, np.int64)
    for text in range(turn[0], len(asked.sizes), turn[1]):
        found[0][text], found[1][text] = -1, 0.0
        _begin(_words(asked, text), scratch)
        for start in range(above[1], len(pool.sizes), _AT_ONCE):
            if _bounded(asked, text, pool, (start, above[0]), may):
                found[0][text], found[1][text] = _first(
                    asked, text, pool, (start, above[0]), scratch, may
                )
            if found[0][text] >= 0:
                break
        _end(_words(asked, text), scratch)


@kernel
def each_f1(
    asked: Texts, text: int, pool: Texts, scratch: Scratch, f1s: NDArray[np.float64]
) -> None:
    """Write the F1 of an asked text and each text of the pool."""
    words = _words(asked, text)
    _begin(words, scratch)
    for other in range(len(pool.sizes)):
        common = _common(words, _words(pool, other), 0, scratch)
        f1s[other] = f1(common, asked.sizes[text], pool.sizes[other])
    _end(words, scratch)


@kernel
def _bounded(
    asked: Texts, text: int, pool: Texts, above: tuple[int, float], may: NDArray[np.int64]
) -> bool:
    """Note which of the next texts of the pool may be above; return whether any may.

    `above`: the number of the first text, and the F1. Loops are simple, and over whole numbers
    only: so they become instructions that take eight texts at a time.
    """
    start, threshold = above
    stop = min(start + len(may), len(pool.sizes))
    may[:] = 0
    for row in range(MARKS):
        mine, theirs = asked.marks[row, text], pool.marks[row, start:stop]
        for at in range(len(theirs)):
            may[at] += np.int64(_ones(mine & theirs[at]))
    size, spare, limit = np.int64(asked.sizes[text]), np.int64(asked.spare[text]), _limit(threshold)
    sizes, spares = pool.sizes[start:stop], pool.spare[start:stop]
    open_ = np.int64(0)
    for at in range(len(sizes)):
        most = may[at] + min(spare, np.int64(spares[at]))
        may[at] = np.int64(2 * _SHARES * most >= limit * (size + sizes[at]))
        open_ |= may[at]
    return bool(open_ > 0)


@inlined
def _limit(threshold: float) -> int:
    # One less, for what the division of the F1 may round up.
    return int(np.floor(threshold * _SHARES)) - 1


@kernel
def _first(
    asked: Texts,
    text: int,
    pool: Texts,
    above: tuple[int, float],
    scratch: Scratch,
    may: NDArray[np.int64],
) -> tuple[int, float]:
    """Return number and F1 of the first text that is above, of those from a number on that may."""
    words, size = _words(asked, text), asked.sizes[text]
    for other in range(above[0], min(above[0] + len(may), len(pool.sizes))):
        if may[other - above[0]]:
            least = _limit(above[1]) * (size + pool.sizes[other]) // (2 * _SHARES)
            common = _common(words, _words(pool, other), least, scratch)
            value = f1(common, size, pool.sizes[other])
            if value > above[1]:
                return other, value
    return -1, 0.0


@inlined
def _begin(words: Words, scratch: Scratch) -> None:
    if len(words) <= _BITS:
        _note(words, scratch.places)
        return
    for word in words:
        scratch.counts[word] += 1


@inlined
def _end(words: Words, scratch: Scratch) -> None:
    for word in words:
        scratch.places[word] = _ZERO
        scratch.counts[word] = 0


@inlined
def _note(words: Words, places: NDArray[np.uint64]) -> None:
    for place in range(len(words)):
        places[words[place]] |= _ONE << np.uint64(place)


@inlined
def _common(asked: Words, other: Words, least: int, scratch: Scratch) -> int:
    """Return what is in common in order; where that is less than `least`, perhaps 0 instead."""
    if len(asked) <= _BITS:
        return _common_short(other, scratch.places)
    if _overlap(other, scratch.counts) < least:
        return 0
    return _common_long(asked, other, scratch.places)


@inlined
def _overlap(words: Words, counts: NDArray[np.int32]) -> int:
    """Return what is in common, in any order, with the text whose words are counted."""
    common = 0
    for word in words:
        common += int(counts[word] > 0)
        counts[word] -= 1
    for word in words:
        counts[word] += 1
    return common


@inlined
def _common_short(words: Words, places: NDArray[np.uint64]) -> int:
    """Return what is in common with the text of up to 64 words whose places are noted."""
    free = _ALL
    for word in words:
        taken = free & places[word]
        free = (free + taken) | (free - taken)
    return int(_ones(~free))


@kernel
def _common_long(one: Words, other: Words, places: NDArray[np.uint64]) -> int:
    """Return what two texts of any length have in common; no places are noted.

    The longer text is walked through once for each 64 words of the shorter; what an addition
    carries into the next 64 is kept for each word of the longer.
    """
    if len(one) > len(other):
        one, other = other, one
    carries = np.zeros(len(other), np.uint64)
    common = 0
    for start in range(0, len(one), _BITS):
        part = one[start : start + _BITS]
        _note(part, places)
        common += _common_part(other, places, carries)
        for word in part:
            places[word] = _ZERO
    return common


@inlined
def _common_part(words: Words, places: NDArray[np.uint64], carries: NDArray[np.uint64]) -> int:
    free = _ALL
    for at in range(len(words)):
        taken = free & places[words[at]]
        added = free + taken
        carried = added + carries[at]
        carries[at] = np.uint64((added < free) | (carried < added))
        free = carried | (free - taken)
    return int(_ones(~free))
