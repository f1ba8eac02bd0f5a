"""Texts as sets of shingle numbers, read straight from UTF-8 bytes.

A shingle is `ngram` units in a row (see `Reading`), as 64 bits: that two different shingles of two
texts of 300 words share a number has a probability of 5e-15. A text is read by the table of ASCII
characters; where that does not do, by the table of the first two planes; where that does not do
either, in Python.
"""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth.similarity.kernels import inlined, kernel
from synth.similarity.reading import WORDLESS, Reading, plain_table
from synth.similarity.units import Rules, Slices, mixed, units_of

_START = np.uint64(0x94D049BB133111EB)
_STEP = np.uint64(0x9FB21C651E98DF25)
_ONE = np.uint64(1)


class Shingles(NamedTuple):
    """The distinct shingles of some texts."""

    numbers: NDArray[np.uint64]
    """Those of text `i` are `numbers[starts[i] : starts[i] + counts[i]]`, by first occurrence."""
    starts: NDArray[np.int64]
    counts: NDArray[np.int64]
    """0 for a blank text."""
    keys: NDArray[np.uint64]
    """Equal for texts of the same units in the same order; 0 for a blank text."""


def shingled(texts: Slices, reading: Reading) -> Shingles:
    """Return the shingles of each text. Bytes that are no UTF-8 count as U+FFFD."""
    texts = texts._replace(data=_unwritable(texts.data))
    found = _by_table(texts, reading, reading.ascii_table())
    unsure = np.flatnonzero(found.counts < 0)
    if len(unsure):
        found = _with(found, unsure, _by_table(texts.only(unsure), reading, reading.wide_table()))
        unsure = np.flatnonzero(found.counts < 0)
    if len(unsure):
        found = _with(found, unsure, _in_python(texts.only(unsure), reading))
    return found


def joined(parts: list[Shingles]) -> Shingles:
    """Return the shingles of several runs of texts as of one."""
    if len(parts) == 1:
        return parts[0]
    before = np.cumsum([0, *(len(part.numbers) for part in parts)])
    return Shingles(
        np.concatenate([part.numbers for part in parts]),
        np.concatenate([part.starts + at for part, at in zip(parts, before, strict=False)]),
        np.concatenate([part.counts for part in parts]),
        np.concatenate([part.keys for part in parts]),
    )


def _unwritable(data: NDArray[np.uint8]) -> NDArray[np.uint8]:
    # numba would compile every kernel twice: for what can be written to, and for what cannot.
    view = data.view()
    view.flags.writeable = False
    return view


def _by_table(texts: Slices, reading: Reading, table: NDArray[np.uint32]) -> Shingles:
    lengths = texts.ends - texts.begins
    # A word takes a byte and a space, or two bytes and more; a mark or a character takes one.
    one_byte_units = reading.unit == "characters" or not reading.ignore_punctuation
    most = (lengths if one_byte_units else lengths // 2) + 1
    rules = Rules(table, reading.unit == "characters", reading.ngram)
    size = len(lengths)
    into = Shingles(
        np.empty(int(most.sum()), np.uint64),
        np.zeros(size, np.int64),
        np.zeros(size, np.int64),
        np.zeros(size, np.uint64),
    )
    used = _shingle(texts, rules, int(most.max(initial=1)), into)
    return into._replace(numbers=into.numbers[:used].copy())


def _in_python(texts: Slices, reading: Reading) -> Shingles:
    read = [
        reading.plain(texts.data[begin:end].tobytes().decode("utf-8", "replace")).encode()
        for begin, end in zip(texts.begins.tolist(), texts.ends.tolist(), strict=True)
    ]
    stops = np.cumsum([0, *(len(text) for text in read)], dtype=np.int64)
    plain = Slices(np.frombuffer(b"".join(read), np.uint8), stops[:-1], stops[1:])
    found = _by_table(plain, reading, plain_table())
    # Of a text without words the plain form is a digest, whose characters mean nothing.
    wordless = [row for row, text in enumerate(read) if text.startswith(WORDLESS.encode())]
    found.numbers[found.starts[wordless]] = found.keys[wordless]
    found.counts[wordless] = 1
    return found


def _with(found: Shingles, rows: NDArray[np.int64], more: Shingles) -> Shingles:
    """Return `found` with what `more` says of its `rows`."""
    found.starts[rows] = more.starts + len(found.numbers)
    found.counts[rows] = more.counts
    found.keys[rows] = more.keys
    return found._replace(numbers=np.concatenate([found.numbers, more.numbers]))


@kernel
def _shingle(texts: Slices, rules: Rules, longest: int, into: Shingles) -> int:
    """Fill `into` and return how many numbers it holds; a count of -1 is a text to read elsewhere.

    `longest` is the most units that a text can have.
    """
    units = np.empty(longest, np.uint64)
    slots = np.empty(2 * power_of_two(longest), np.uint64)
    used = 0
    for row in range(len(texts.begins)):
        begin, end = texts.begins[row], texts.ends[row]
        count = units_of(texts.data[begin:end], rules, units)
        into.starts[row] = used
        into.counts[row] = min(count, 0)
        if count > 0:
            into.keys[row] = _key(units[:count])
            found = _rolled(units[:count], rules.ngram, into.numbers[used:])
            into.counts[row] = distinct(into.numbers[used : used + found], slots)
            used += into.counts[row]
    return used


@inlined
def _key(units: NDArray[np.uint64]) -> np.uint64:
    key = _START
    for unit in units:
        key = (key + unit) * _STEP
    return max(mixed(key ^ np.uint64(len(units))), _ONE)


@inlined
def _rolled(units: NDArray[np.uint64], ngram: int, numbers: NDArray[np.uint64]) -> int:
    """Write the number of each `ngram` units in a row, never 0, and return how many there are.

    A number is a polynomial of its units modulo 2^64: the next one follows from it in two steps.
    """
    size = min(ngram, len(units))
    leaving = _ONE
    number = np.uint64(0)
    for place in range(size):
        number = number * _STEP + units[place]
        leaving *= _STEP
    numbers[0] = max(mixed(number), _ONE)
    for place in range(size, len(units)):
        number = number * _STEP + units[place] - units[place - size] * leaving
        numbers[place - size + 1] = max(mixed(number), _ONE)
    return len(units) - size + 1


@inlined
def distinct(numbers: NDArray[np.uint64], slots: NDArray[np.uint64]) -> int:
    """Move the first of equal numbers, none of them 0, to the front; return how many differ."""
    size = 2 * power_of_two(len(numbers))
    slots[:size] = 0
    last = np.uint64(size - 1)
    kept = 0
    for number in numbers:
        slot = number & last
        while slots[slot] != 0 and slots[slot] != number:
            slot = (slot + _ONE) & last
        if slots[slot] == 0:
            slots[slot] = number
            numbers[kept] = number
            kept += 1
    return kept


@inlined
def power_of_two(least: int) -> int:
    """Return the smallest power of two that is at least so large."""
    size = 1
    while size < least:
        size *= 2
    return size
