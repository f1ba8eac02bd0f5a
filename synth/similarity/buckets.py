"""Who was seen before with the same tag: the tables behind banding and behind exact duplicates.

A bucket holds the rows of one tag. Each new row is paired with the first eight and the last eight
rows of its bucket, so a million alike cost a million times sixteen pairs and not their square. In
buckets of up to 17 rows, which is nearly all of them, every pair is made.
"""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth.similarity.kernels import inlined, kernel

HEADS = 8
"""So many first rows of a bucket, and as many last ones, are paired with a new row."""
_MOST = 2 * HEADS
_FREE = -1
_TAG, _OWNER = 0, 1
_FULLEST = 0.75
_GROWTH = 1.5
_HALF = np.uint64(32)


class _Table(NamedTuple):
    """One band, as kernels take it."""

    slots: NDArray[np.int32]
    """(slots, 2), side by side in memory: a tag, as signed bits, and its owner. That is: free, the
    only row with this tag, or -2 - the number of a bucket."""
    begins: NDArray[np.int32]
    """Where a bucket's rows begin in `members`: 2, 4, 8 or 16 places."""
    sizes: NDArray[np.int32]
    """How many rows a bucket was given; of more than 16 only the first 8 and last 8 are held."""
    members: NDArray[np.int32]
    used: NDArray[np.int64]
    """How many slots, buckets and places of members are in use."""


class Pairs(NamedTuple):
    """Rows that met: `earlier[i]` was seen before `later[i]`."""

    later: NDArray[np.int64]
    earlier: NDArray[np.int64]


class Buckets:
    """The buckets of one band.

    A row takes 8 bytes in a table that is at most three quarters full, and about 24 more if it ever
    met another. Rows are numbers below 2^31.
    """

    def __init__(self, expected: int = 0) -> None:
        """Make room for as many rows as are expected; more may come."""
        slots = int(expected / _FULLEST) + 64
        self._table = _Table(
            np.full((slots, 2), _FREE, np.int32),
            np.empty(64, np.int32),
            np.empty(64, np.int32),
            np.empty(256, np.int32),
            np.zeros(3, np.int64),
        )

    def meet(self, tags: NDArray[np.uint32], rows: NDArray[np.int64]) -> Pairs:
        """Return all pairs of each row with rows before it; then it is one of those."""
        met: list[NDArray[np.int64]] = []
        done = 0
        while True:
            into = np.empty((2, 4 * (len(rows) - done) + _MOST), np.int64)
            done, pairs = _meet(self._table, tags, rows, done, into)
            met.append(into[:, :pairs])
            if done == len(rows):
                later, earlier = met[0] if len(met) == 1 else np.concatenate(met, axis=1)
                return Pairs(later, earlier)
            self._make_room()

    def _make_room(self) -> None:
        table = self._table
        slots, buckets, members = table.used.tolist()
        if slots >= _full(len(table.slots)):
            table = _rehashed(table)
        if buckets == len(table.begins):
            table = table._replace(begins=_longer(table.begins), sizes=_longer(table.sizes))
        if members + _MOST > len(table.members):
            table = table._replace(members=_longer(table.members))
        self._table = table


def _longer(array: NDArray[np.int32]) -> NDArray[np.int32]:
    longer = np.empty(int(len(array) * _GROWTH) + _MOST, array.dtype)
    longer[: len(array)] = array
    return longer


def _rehashed(table: _Table) -> _Table:
    slots = int(len(table.slots) * _GROWTH)
    larger = table._replace(slots=np.full((slots, 2), _FREE, np.int32))
    _move(table.slots, larger.slots)
    return larger


@inlined
def _full(slots: int) -> int:
    """Return how many slots of a table may be taken."""
    return int(_FULLEST * slots)


@inlined
def _slot_of(tag: np.int32, slots: NDArray[np.int32]) -> np.int64:
    slot = np.int64((np.uint64(np.uint32(tag)) * np.uint64(len(slots))) >> _HALF)
    while slots[slot, _OWNER] != _FREE and slots[slot, _TAG] != tag:
        slot = slot + 1 if slot + 1 < len(slots) else np.int64(0)
    return slot


@kernel
def _move(slots: NDArray[np.int32], larger: NDArray[np.int32]) -> None:
    for old in range(len(slots)):
        if slots[old, _OWNER] != _FREE:
            slot = _slot_of(slots[old, _TAG], larger)
            larger[slot, _TAG] = slots[old, _TAG]
            larger[slot, _OWNER] = slots[old, _OWNER]


@kernel
def _meet(
    table: _Table,
    tags: NDArray[np.uint32],
    rows: NDArray[np.int64],
    done: int,
    into: NDArray[np.int64],
) -> tuple[int, int]:
    """Take rows from the place `done` on; return the place where room ran out, and pairs made."""
    pairs = 0
    fullest = _full(len(table.slots))
    while done < len(rows):
        short = table.used[0] >= fullest or table.used[1] == len(table.begins)
        if short or table.used[2] + _MOST > len(table.members) or pairs + _MOST > into.shape[1]:
            break
        row, tag = np.int32(rows[done]), np.int32(tags[done])
        slot = _slot_of(tag, table.slots)
        owner = table.slots[slot, _OWNER]
        if owner == _FREE:
            table.slots[slot, _TAG] = tag
            table.slots[slot, _OWNER] = row
            table.used[0] += 1
        else:
            if owner >= 0:
                owner = _new_bucket(table, owner)
                table.slots[slot, _OWNER] = owner
            pairs = _pair(table, -2 - owner, row, into, pairs)
            _put(table, -2 - owner, row)
        done += 1
    return done, pairs


@inlined
def _new_bucket(table: _Table, row: np.int32) -> np.int32:
    """Make a bucket of one row and return its owner number."""
    bucket = table.used[1]
    table.begins[bucket] = table.used[2]
    table.sizes[bucket] = 1
    table.members[table.used[2]] = row
    table.used[1] += 1
    table.used[2] += 2
    return np.int32(-2 - bucket)


@inlined
def _pair(
    table: _Table, bucket: np.int32, row: np.int32, into: NDArray[np.int64], pairs: int
) -> int:
    begin = table.begins[bucket]
    for place in range(begin, begin + min(table.sizes[bucket], _MOST)):
        into[0, pairs] = row
        into[1, pairs] = table.members[place]
        pairs += 1
    return pairs


@inlined
def _put(table: _Table, bucket: np.int32, row: np.int32) -> None:
    """Add a row; a bucket that is full moves to twice the room, or drops its ninth-last row."""
    size, begin = table.sizes[bucket], table.begins[bucket]
    if 2 <= size < _MOST and size & (size - 1) == 0:
        roomy = table.used[2]
        for place in range(size):
            table.members[roomy + place] = table.members[begin + place]
        table.begins[bucket] = begin = roomy
        table.used[2] += 2 * size
    place = size if size < _MOST else HEADS + (size - HEADS) % HEADS
    table.members[begin + place] = row
    table.sizes[bucket] = size + 1


class _Keys(NamedTuple):
    """Keys and the first row of each, as kernels take them."""

    keys: NDArray[np.uint64]
    rows: NDArray[np.int32]
    """Free, or the first row with the key of this slot."""


def _keys(slots: int) -> _Keys:
    return _Keys(np.empty(slots, np.uint64), np.full(slots, _FREE, np.int32))


class Firsts:
    """Which row was the first with a key: 12 bytes a key in a table at most three quarters full."""

    def __init__(self, expected: int = 0) -> None:
        """Make room for as many keys as are expected; more may come."""
        self._table = _keys(int(expected / _FULLEST) + 64)
        self._used = 0

    def of(self, keys: NDArray[np.uint64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return for each row the first with its key: itself, if there was none before."""
        first = np.empty(len(rows), np.int64)
        done = 0
        while done < len(rows):
            room = _full(len(self._table.keys)) - self._used
            part = slice(done, done + room)
            self._used += _first(self._table, keys[part], rows[part], first[part])
            done += room
            if done < len(rows):
                self._grow()
        return first

    def _grow(self) -> None:
        taken = self._table.rows != _FREE
        keys, rows = self._table.keys[taken], self._table.rows[taken].astype(np.int64)
        self._table = _keys(int(len(self._table.keys) * _GROWTH))
        _first(self._table, keys, rows, rows.copy())


@kernel
def _first(
    table: _Keys, keys: NDArray[np.uint64], rows: NDArray[np.int64], into: NDArray[np.int64]
) -> int:
    """Write the first row of each key and return how many keys are new."""
    slots = len(table.keys)
    new = 0
    for place in range(len(keys)):
        key = keys[place]
        slot = np.int64(((key >> _HALF) * np.uint64(slots)) >> _HALF)
        while table.rows[slot] != _FREE and table.keys[slot] != key:
            slot = slot + 1 if slot + 1 < slots else np.int64(0)
        if table.rows[slot] == _FREE:
            table.keys[slot], table.rows[slot] = key, np.int32(rows[place])
            new += 1
        into[place] = table.rows[slot]
    return new
