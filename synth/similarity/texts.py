"""Many texts as UTF-8 in large pieces: an Arrow column as it lies in memory, or what was added."""
# pyarrow publishes no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.similarity.units import Slices

_PIECE_BYTES = 8 << 20
_PIECE_ROWS = 1 << 14
_ROW_BYTES = 512
_FEW = 32


class Texts:
    """Texts by number, from 0. Null counts as a blank text."""

    def __init__(self) -> None:
        self._pieces: list[Slices] = []
        self._firsts: list[int] = [0]
        self._free_bytes = 0
        """How much more the last piece can take; 0 if it is not ours to write to."""

    def __len__(self) -> int:
        """How many texts there are."""
        return self._firsts[-1]

    def lay(self, column: Any) -> None:
        """Take the texts of an Arrow array or chunked array of strings, without copying them."""
        for chunk in getattr(column, "chunks", [column]):
            piece = _slices(chunk)
            self._pieces.append(piece)
            self._firsts.append(len(self) + len(piece.begins))
        self._free_bytes = 0

    def add(self, texts: Sequence[str | None]) -> None:
        """Copy texts behind those that are there: their UTF-8 and 16 bytes more for each."""
        encoded = [(text or "").encode("utf-8", "surrogatepass") for text in texts]
        borders = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
        if not self._pieces or not self._fits(len(encoded), int(borders[-1])):
            self._pieces.append(_room_for(len(encoded), int(borders[-1])))
            self._firsts.append(len(self))
            self._free_bytes = len(self._pieces[-1].data)
        piece, row = self._pieces[-1], len(self) - self._firsts[-2]
        start = len(piece.data) - self._free_bytes
        rows = slice(row, row + len(encoded))
        piece.data[start : start + borders[-1]] = np.frombuffer(b"".join(encoded), np.uint8)
        piece.begins[rows], piece.ends[rows] = borders[:-1] + start, borders[1:] + start
        self._free_bytes -= int(borders[-1])
        self._firsts[-1] += len(encoded)

    def _fits(self, rows: int, size: int) -> bool:
        taken = self._firsts[-1] - self._firsts[-2]
        return size <= self._free_bytes and taken + rows <= len(self._pieces[-1].begins)

    def between(self, start: int, stop: int) -> Iterator[Slices]:
        """Yield the texts from `start` to before `stop`, in order, in runs of one piece."""
        number = int(np.searchsorted(self._firsts, start, "right")) - 1
        while start < stop:
            first, end = self._firsts[number], min(self._firsts[number + 1], stop)
            piece, part = self._pieces[number], slice(start - first, end - first)
            if start < end:
                yield Slices(piece.data, piece.begins[part], piece.ends[part])
            start, number = end, number + 1

    def at(self, rows: NDArray[np.int64]) -> Iterator[Slices]:
        """Yield the texts of some numbers, which ascend, in few runs."""
        bounds = np.searchsorted(rows, self._firsts)
        runs = [
            self._pieces[number].only(rows[bounds[number] : bounds[number + 1]] - first)
            for number, first in enumerate(self._firsts[:-1])
            if bounds[number] < bounds[number + 1]
        ]
        if len(rows) > _FEW * len(runs):
            yield from runs
        elif runs:
            yield _copied(runs)


def _copied(runs: list[Slices]) -> Slices:
    """Return the texts of runs as one: for a few texts cheaper than a run for each."""
    copied = [
        run.data[begin:end]
        for run in runs
        for begin, end in zip(run.begins.tolist(), run.ends.tolist(), strict=True)
    ]
    borders = np.cumsum([0, *map(len, copied)], dtype=np.int64)
    return Slices(np.concatenate(copied), borders[:-1], borders[1:])


def parts(runs: Iterable[Slices], megabytes: int) -> Iterator[Slices]:
    """Yield the same texts in parts of about so many megabytes; a larger text is one of its own.

    A text counts as its bytes and 512 more, so a part of short texts is not a long list of them.
    """
    size = megabytes << 20
    for run in runs:
        lengths = np.cumsum(run.ends - run.begins + _ROW_BYTES)
        bounds = np.searchsorted(lengths, np.arange(0, lengths[-1] + size, size))
        for start, stop in pairwise(np.unique(np.append(bounds, len(lengths))).tolist()):
            yield Slices(run.data, run.begins[start:stop], run.ends[start:stop])


def _room_for(rows: int, size: int) -> Slices:
    rows = max(rows, _PIECE_ROWS)
    data = np.empty(max(size, _PIECE_BYTES), np.uint8)
    return Slices(data, np.empty(rows, np.int64), np.empty(rows, np.int64))


def _slices(chunk: Any) -> Slices:
    # Not loaded for texts that come one by one: it reserves a gigabyte of a worker's memory.
    import pyarrow as pa

    if not (pa.types.is_string(chunk.type) or pa.types.is_large_string(chunk.type)):
        # Views, dictionaries, nulls only. Anything else is not text, and Arrow says so.
        chunk = chunk.cast(pa.large_string())
    _, bounds, data = chunk.buffers()
    if not len(chunk) or bounds is None:
        return _room_for(0, 0).only(np.empty(0, np.int64))
    kind = np.int64 if pa.types.is_large_string(chunk.type) else np.int32
    borders = np.frombuffer(bounds, kind)[chunk.offset : chunk.offset + len(chunk) + 1]
    borders = borders.astype(np.int64)
    ends = borders[1:]
    if chunk.null_count:
        ends = np.where(chunk.is_valid().to_numpy(zero_copy_only=False), ends, borders[:-1])
    empty = np.empty(0, np.uint8)
    return Slices(empty if data is None else np.frombuffer(data, np.uint8), borders[:-1], ends)
