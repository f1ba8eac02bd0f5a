"""Which n-grams of a fixed set occur in texts: exact, by numbers of 64 bits, no Bloom filter.

The set is a hash table; a text is read once, and each run of as many units as some n-gram has is
looked up. N-grams of different lengths may stand in one set: a short question is one, whole.
"""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth.similarity.kernels import inlined, kernel
from synth.similarity.reading import Reading, plain_table
from synth.similarity.shingles import power_of_two, shingled
from synth.similarity.texts import Texts
from synth.similarity.units import Rules, Slices, mixed, units_of

_ONE = np.uint64(1)
_STEP = np.uint64(0x9FB21C651E98DF25)
_ROOM = 1 << 16


class Hits(NamedTuple):
    """Which n-gram was found in which text: each pair once, by text, then by n-gram."""

    texts: NDArray[np.int64]
    ngrams: NDArray[np.int64]


class _Table(NamedTuple):
    """A set of numbers by open addressing: none is 0, at most a quarter of the slots is used."""

    numbers: NDArray[np.uint64]
    places: NDArray[np.int64]
    lengths: NDArray[np.int64]
    """How many units its n-grams have."""


class _Found(NamedTuple):
    """What a look at some texts gives."""

    pairs: NDArray[np.int64]
    """A text and an n-gram in each row; not all rows are used."""
    unsure: NDArray[np.bool_]
    """For each text, whether the table of characters does not do."""


class Ngrams:
    """A set of n-grams, each of which is a text of `n` units or fewer as `reading` has them."""

    def __init__(self, ngrams: Sequence[str], reading: Reading, lengths: Sequence[int]) -> None:
        """Take n-grams in the reading's plain form, with the number of units of each.

        Equal ones count as the first of them.
        """
        self.reading = reading
        longest = replace(reading, ngram=max(lengths, default=1))
        texts = Texts()
        texts.add(ngrams)
        numbers = np.empty(len(ngrams), np.uint64)
        start = 0
        for part in texts.between(0, len(ngrams)):
            found = shingled(part, longest)
            numbers[start : start + len(found.counts)] = found.numbers[found.starts]
            start += len(found.counts)
        different, self.place = np.unique(numbers, return_inverse=True)
        """For each n-gram given, its number among the different ones: what `Hits` name."""
        self._table = _table(different, sorted(set(lengths)))

    def found_in(self, texts: Sequence[str]) -> Hits:
        """Return which of the n-grams occur in each text."""
        column = Texts()
        column.add(texts)
        pairs = [np.empty((0, 2), np.int64)]
        start = 0
        for part in column.between(0, len(texts)):
            pairs += [np.add(one, (start, 0)) for one in self._pairs(part)]
            start += len(part.begins)
        found = _different(np.concatenate(pairs))
        return Hits(found[:, 0], found[:, 1])

    def _pairs(self, texts: Slices) -> list[NDArray[np.int64]]:
        """Read by the quick table; what it cannot decide by the large one; the rest in Python."""
        rows = np.arange(len(texts.begins))
        found: list[NDArray[np.int64]] = []
        for table in (self.reading.ascii_table(), self.reading.wide_table()):
            seen = self._looked_up(texts.only(rows), table)
            found.append(np.column_stack([rows[seen.pairs[:, 0]], seen.pairs[:, 1]]))
            rows = rows[seen.unsure]
            if not len(rows):
                return found
        plain = Texts()
        plain.add([self._plain(texts, row) for row in rows.tolist()])
        start = 0
        for part in plain.between(0, len(rows)):
            pairs = self._looked_up(part, plain_table()).pairs
            found.append(np.column_stack([rows[pairs[:, 0] + start], pairs[:, 1]]))
            start += len(part.begins)
        return found

    def _plain(self, texts: Slices, row: int) -> str:
        text = texts.data[texts.begins[row] : texts.ends[row]].tobytes()
        return self.reading.plain(text.decode("utf-8", "replace"))

    def _looked_up(self, texts: Slices, table: NDArray[np.uint32]) -> _Found:
        rules = Rules(table, self.reading.unit == "characters", self.reading.ngram)
        longest = int((texts.ends - texts.begins).max(initial=0)) + 1
        room = np.empty((_ROOM + longest * len(self._table.lengths), 2), np.int64)
        into = _Found(room, np.zeros(len(texts.begins), np.bool_))
        parts = [np.empty((0, 2), np.int64)]
        row = 0
        while row < len(texts.begins):
            row, used = _look_up(texts, rules, self._table, (row, longest), into)
            parts.append(_different(room[:used]))
        return into._replace(pairs=np.concatenate(parts))


def _different(pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the rows that differ, in order; packed they sort ten times as fast as row by row."""
    most = pairs[:, 1].max(initial=0) + 1
    packed = np.unique(pairs[:, 0] * most + pairs[:, 1])
    return np.column_stack(np.divmod(packed, most))


def _table(numbers: NDArray[np.uint64], lengths: Sequence[int]) -> _Table:
    size = 4 * power_of_two(max(len(numbers), 1))
    table = _Table(np.zeros(size, np.uint64), np.zeros(size, np.int64), np.array(lengths, np.int64))
    _fill(numbers, table)
    return table


@kernel
def _fill(numbers: NDArray[np.uint64], table: _Table) -> None:
    last = np.uint64(len(table.numbers) - 1)
    for place, number in enumerate(numbers):
        slot = number & last
        while table.numbers[slot] != 0:
            slot = (slot + _ONE) & last
        table.numbers[slot] = number
        table.places[slot] = place


@inlined
def _place_of(number: np.uint64, table: _Table) -> int:
    """Return where a number is in the table; -1 if it is not."""
    last = np.uint64(len(table.numbers) - 1)
    slot = number & last
    while table.numbers[slot] != 0 and table.numbers[slot] != number:
        slot = (slot + _ONE) & last
    return table.places[slot] if table.numbers[slot] == number else -1


@inlined
def _runs(
    units: NDArray[np.uint64], length: int, table: _Table, row: int, pairs: NDArray[np.int64]
) -> int:
    """Write a pair for each run of `length` units that is in the table; return how many."""
    used = 0
    leaving, number = _ONE, np.uint64(0)
    for place in range(len(units)):
        number = number * _STEP + units[place]
        if place < length:
            leaving *= _STEP
        else:
            number -= units[place - length] * leaving
        if place + 1 >= length:
            found = _place_of(max(mixed(number), _ONE), table)
            if found >= 0:
                pairs[used, 0], pairs[used, 1] = row, found
                used += 1
    return used


@kernel
def _look_up(
    texts: Slices, rules: Rules, table: _Table, at: tuple[int, int], into: _Found
) -> tuple[int, int]:
    """Fill `into`; return the row to go on with, and how many pairs were written.

    `at` is the row to begin with, and the most units that a text can have.
    """
    row, longest = at
    units = np.empty(longest, np.uint64)
    used = 0
    while row < len(texts.begins) and used + longest * len(table.lengths) <= len(into.pairs):
        count = units_of(texts.data[texts.begins[row] : texts.ends[row]], rules, units)
        into.unsure[row] = count < 0
        for length in table.lengths:
            used += _runs(units[: max(count, 0)], length, table, row, into.pairs[used:])
        row += 1
    return row, used
