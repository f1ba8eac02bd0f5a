"""Which texts of a set nearly repeat an earlier one: all at once, or as they come.

Texts that read the same are put together first. Of the others, those that meet in a band of their
MinHashes are candidates, and each pair of candidates is compared exactly, so nothing is called near
that is less similar than the threshold. What a text is near to are the texts before it, whatever
becomes of those: it is the same whether they come in one piece or one by one.
"""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth.similarity.kernels import inlined, kernel
from synth.similarity.reading import Reading
from synth.similarity.search import Links, Options, Search
from synth.similarity.texts import Texts, parts

__all__ = ["Batches", "Groups", "Index", "Nearest", "Options", "Reading", "Spill", "groups"]

Keep = Literal["first", "best", "none"]
Blocks = Iterator[tuple[int, int]]
"""The numbers of the first text of a block and of the first one after it."""
_BLOCK_MB = 16


class Batches(NamedTuple):
    """Texts that are still to be read: the next array is made while the last one is searched."""

    rows: int
    """How many texts there are in all."""
    arrays: Iterable[Any]
    """Arrow arrays or chunked arrays of strings."""


class Spill(NamedTuple):
    """Where tags go that memory shall not hold."""

    memory_mb: int
    """What DuckDB may take, in MiB; below 40 it may not manage."""
    folder: Path
    """Where it may write: about 110 bytes a row, and as much again while it sorts."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """For each text, the most similar of the near texts before it; the first of equal ones."""

    earlier: NDArray[np.int64]
    """Its number; -1 if no text before is near."""
    similarity: NDArray[np.float64]
    """From the threshold to 1; 0 if no text before is near."""

    @classmethod
    def none(cls, size: int) -> Nearest:
        """Return that for texts without any."""
        return cls(np.full(size, -1, np.int64), np.zeros(size))

    def note(self, links: Links, start: int = 0) -> None:
        """Take links of texts from `start` on into account; earlier ones ascend."""
        _note(links, start, self.earlier, self.similarity)


@dataclass(frozen=True, slots=True)
class Groups:
    """What repeats what in a set of texts; arrays with a value for each row."""

    first: NDArray[np.int64]
    """The first row of its group: of all that near pairs lead to. Its own if it is alone."""
    nearest: Nearest

    def kept(
        self, keep: Keep = "first", scores: NDArray[np.float64] | None = None
    ) -> NDArray[np.bool_]:
        """Return True for each row to keep.

        `first`: rows with no near row before them. No two kept rows are then near, and of a chain
        (a near b, b near c, a not near c) whoever had nobody before it stays. `best`: of each group
        the row with the highest score; NaN is lowest, of equal scores the first row. `none`: rows
        that are alone in their group. Raises ValueError for `best` without a score for each row.
        """
        if keep == "first":
            return self.nearest.earlier < 0
        if keep == "none":
            return np.bincount(self.first, minlength=len(self.first))[self.first] == 1
        if scores is None or len(scores) != len(self.first):
            found = "none" if scores is None else f"{len(scores)}"
            raise ValueError(
                f"keep='best' wants a score for each of {len(self.first)} rows, got {found}"
            )
        return self._best(np.where(np.isnan(scores), -np.inf, scores), np.isnan(scores))

    def _best(self, scores: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
        rows = np.arange(len(scores))
        order = np.lexsort((rows, missing, -scores, self.first))
        heads = np.diff(self.first[order], prepend=-1) != 0
        kept = np.zeros(len(scores), bool)
        kept[order[heads]] = True
        return kept


def groups(
    texts: Any,
    options: Options | None = None,
    *,
    threads: int | None = None,
    spill: Spill | None = None,
) -> Groups:
    """Return which of the texts repeat which.

    `texts`: an Arrow array or chunked array of strings, or `Batches` of them.

    Null and blank texts repeat nothing and are repeated by nothing. Texts are read where they lie.
    Beside them it takes about 400 bytes a row (25 bands), or with `spill` about 60 and what that
    allows. Time grows with the rows and not with their square, however many are alike: some 10 µs a
    row, 0.1 to 0.3 ms where all are near to all. The result does not depend on `threads` (by
    default one for each core), or on `spill`. Raises ValueError if `Batches` hold more or fewer
    texts than they say.
    """
    options = options or Options()
    count, arrays = texts if isinstance(texts, Batches) else (len(texts), [texts])
    threads = threads or _cores()
    column = Texts()
    search = Search(column, options, threads=threads, expected=0 if spill else count)
    first, nearest = np.arange(count), Nearest.none(count)
    blocks = _arriving(column, arrays, count)
    for links in _links(search, blocks) if spill is None else _spilled(search, blocks, spill):
        nearest.note(links)
        _unite(links.later, links.earlier, first)
    _lead_to_first(first)
    return Groups(first, nearest)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _links(search: Search, blocks: Blocks) -> Iterator[Links]:
    for start, stop in blocks:
        yield from search.take(start, stop)


def _spilled(search: Search, blocks: Blocks, spill: Spill) -> Iterator[Links]:
    from synth.similarity.spilled import Banding

    taken = 0
    with Banding(spill.folder, spill.memory_mb) as banding:
        for start, taken in blocks:
            block = search.sketched(start, taken)
            same, new = search.same(block.keys, start)
            banding.add(new, block.tags[:, new - start])
            yield same
        for pairs in banding.pairs():
            yield search.compared(pairs, taken)


def _arriving(texts: Texts, arrays: Iterable[Any], count: int) -> Blocks:
    """Lay arrays behind the texts, the next one made meanwhile, and yield what is new."""
    source = iter(arrays)
    with ThreadPoolExecutor(1) as maker:
        coming = maker.submit(next, source, None)
        while (array := coming.result()) is not None:
            coming = maker.submit(next, source, None)
            before = len(texts)
            texts.lay(array)
            # Kernels write at a text's number, and would not see that there is no such place.
            if len(texts) > count:
                break
            yield from _blocks(texts, before)
    if len(texts) != count:
        raise ValueError(f"wanted {count} texts, as `Batches` say, got {len(texts)} or more")


def _blocks(texts: Texts, start: int) -> Blocks:
    for block in parts(texts.between(start, len(texts)), _BLOCK_MB):
        yield start, start + len(block.begins)
        start += len(block.begins)


class Index:
    """Texts that come in batches, each judged against all before it.

    It finds what `groups` finds. A text takes its UTF-8 and about 400 bytes (for 25 bands; 8 bytes
    a band in tables a half to three quarters full, and what buckets of several rows take). Not for
    use by several threads at once, nor after `add` raised.
    """

    def __init__(self, options: Options | None = None, *, threads: int = 1) -> None:
        """Begin empty."""
        self._texts = Texts()
        self._search = Search(self._texts, options or Options(), threads=threads)
        self._whole = True

    def __len__(self) -> int:
        """How many texts were added; their numbers count from 0."""
        return len(self._texts)

    def add(self, texts: Sequence[str | None]) -> Nearest:
        """Take texts, None for a blank one, and return what each is near to.

        Raises RuntimeError if it raised before (out of memory, or stopped): half of a batch may
        stand in its tables.
        """
        if not self._whole:
            raise RuntimeError("wanted an index that took all its texts, got one that failed once")
        self._whole = False
        before = len(self._texts)
        self._texts.add(texts)
        nearest = Nearest.none(len(texts))
        for start, stop in _blocks(self._texts, before):
            for links in self._search.take(start, stop):
                nearest.note(links, before)
        self._whole = True
        return nearest


@kernel
def _note(
    links: Links, start: int, earlier: NDArray[np.int64], similarity: NDArray[np.float64]
) -> None:
    for place in range(len(links.later)):
        row = links.later[place] - start
        if links.similarity[place] > similarity[row]:
            earlier[row] = links.earlier[place]
            similarity[row] = links.similarity[place]


@inlined
def _root(first: NDArray[np.int64], row: int) -> int:
    while first[row] != row:
        first[row] = first[first[row]]
        row = first[row]
    return row


@kernel
def _unite(later: NDArray[np.int64], earlier: NDArray[np.int64], first: NDArray[np.int64]) -> None:
    """Join the groups of each pair: of two first rows, the later one leads to the earlier."""
    for place in range(len(later)):
        one, other = _root(first, later[place]), _root(first, earlier[place])
        first[max(one, other)] = min(one, other)


@kernel
def _lead_to_first(first: NDArray[np.int64]) -> None:
    for row in range(len(first)):
        first[row] = first[first[row]]
