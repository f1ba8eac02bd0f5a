"""Texts as units, words or characters, read byte by byte from UTF-8 by a table of characters.

A unit is 64 bits: a hash of the characters of the word in the form that counts.
"""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth.similarity.kernels import inlined, kernel
from synth.similarity.reading import KIND_AT, PART, SEPARATOR, UNSURE

_START = np.uint64(0x9E3779B97F4A7C15)
_PRIME = np.uint64(0x100000001B3)
_AS_IT_STANDS = np.uint64(0xA0761D6478BD642F)
_MIXER = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)
_KIND_AT = np.uint32(KIND_AT)
_FOLDED = np.uint32((1 << KIND_AT) - 1)
_NOT_UTF8 = np.uint32(0xFFFFFFFF)
_SPACE = np.uint32(32)


class Slices(NamedTuple):
    """Some texts as UTF-8: text `i` is `data[begins[i] : ends[i]]`."""

    data: NDArray[np.uint8]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]

    def only(self, rows: NDArray[np.int64]) -> Slices:
        """Return some of the texts, by their places."""
        return Slices(self.data, self.begins[rows], self.ends[rows])


class Rules(NamedTuple):
    """A reading, as kernels take it."""

    table: NDArray[np.uint32]
    by_character: bool
    ngram: int


@inlined
def mixed(bits: np.uint64) -> np.uint64:
    """Return 64 bits of which each depends on each of those given."""
    bits = (bits ^ (bits >> _HALF)) * _MIXER
    bits = (bits ^ (bits >> _HALF)) * _MIXER
    return bits ^ (bits >> _HALF)


@kernel
def units_of(text: NDArray[np.uint8], rules: Rules, units: NDArray[np.uint64]) -> int:
    """Write the text's units and return their number; -1 where the table does not do."""
    table, by_character = rules.table, rules.by_character
    count, at, all_ascii = 0, 0, True
    word, parts = _START, 0
    while at < len(text):
        point = np.uint32(text[at])
        at += 1
        if point >= 128:
            point, at = _decoded(text, at - 1)
            all_ascii = False
        entry = table[point] if point < len(table) else np.uint32(UNSURE << KIND_AT)
        kind = entry >> _KIND_AT
        if kind == UNSURE:
            return -1
        if by_character:
            count, parts = _next_character(entry, units, count, parts)
            continue
        if kind == PART:
            word = (word ^ np.uint64(entry & _FOLDED)) * _PRIME
            parts += 1
            continue
        if parts:
            units[count] = mixed(word)
            count += 1
            word, parts = _START, 0
        if kind != SEPARATOR:
            units[count] = mixed((_START ^ np.uint64(entry & _FOLDED)) * _PRIME)
            count += 1
    if parts and not by_character:
        units[count] = mixed(word)
        count += 1
    if count:
        return count
    # What white space is beyond ASCII, Python knows.
    return _whole(text, units) if all_ascii else -1


@inlined
def _next_character(
    entry: np.uint32, units: NDArray[np.uint64], count: int, gap: int
) -> tuple[int, int]:
    """Add a character as a unit, after a space if something separated; return count and gap."""
    if entry >> _KIND_AT == SEPARATOR:
        return count, 1
    if gap and count:
        units[count] = mixed(_START ^ np.uint64(_SPACE))
        count += 1
    units[count] = mixed(_START ^ np.uint64(entry & _FOLDED))
    return count + 1, 0


@inlined
def _decoded(text: NDArray[np.uint8], at: int) -> tuple[np.uint32, int]:
    """Return the character that begins at a byte of 128 or more, and where the next one does."""
    first = np.uint32(text[at])
    more = 1 if first < 0xE0 else 2 if first < 0xF0 else 3
    if first < 0xC2 or first > 0xF4 or at + more >= len(text):
        return _NOT_UTF8, at + 1
    point = first & np.uint32(0x3F >> more)
    for place in range(at + 1, at + 1 + more):
        if text[place] & 0xC0 != 0x80:
            return _NOT_UTF8, at + 1
        point = (point << np.uint32(6)) | np.uint32(text[place] & 0x3F)
    # Longer than it need be is no UTF-8 either.
    shortest = point >= (0x80 if more == 1 else 0x800 if more == 2 else 0x10000)
    return (point if shortest else _NOT_UTF8), at + 1 + more


@inlined
def _whole(text: NDArray[np.uint8], units: NDArray[np.uint64]) -> int:
    """Make the text, less ASCII white space at its ends, one unit; return 0 if it is blank."""
    begin, end = 0, len(text)
    while begin < end and _is_blank(text[begin]):
        begin += 1
    while end > begin and _is_blank(text[end - 1]):
        end -= 1
    number = _AS_IT_STANDS
    for at in range(begin, end):
        number = (number ^ np.uint64(text[at])) * _PRIME
    units[0] = mixed(number)
    return int(end > begin)


@inlined
def _is_blank(byte: int) -> bool:
    return byte == 32 or 9 <= byte <= 13 or 28 <= byte <= 31
