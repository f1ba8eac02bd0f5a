"""Which of the vectors kept so far are near to a new one: by exact search, or by a graph.

Either way a cosine that counts is computed for that one pair, in double precision: what a matrix
product rounds differently with its shape can nominate a pair, and never decide.
"""
# usearch is optional and untyped.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from synth.errors import PluginError

if TYPE_CHECKING:
    from synth.similarity.bert import Floats

Numbers = NDArray[np.int64]
_SLACK = 1e-4
"""What a product in single precision may be off by, and more."""
_ROUNDING = 1e-6
"""What a cosine may lack for vectors of single precision that point the same way."""
_ROWS = 8192
"""Kept vectors that are multiplied at once: the product of a batch of 256 is then 8 MB."""
_ASKED = 64
"""Neighbours that the graph is asked for."""


class Near(NamedTuple):
    """A kept vector, by its number in the order of keeping, and how near it is."""

    number: int
    cosine: float


Take = Callable[[int, Sequence[Near]], bool]
"""Told the row and its near neighbours, nearest first: whether the row is kept."""


class Nearest(Protocol):
    """Vectors that are kept, each held against those kept before it."""

    def walk(self, vectors: Floats, take: Take) -> None:
        """Ask `take` about each row in order; keep those that it takes.

        `vectors`: (rows, d), of length 1. Equally near neighbours come in the order of keeping. The
        outcome does not depend on how rows are cut into batches.
        """
        ...


class _Kept:
    """The kept vectors, in blocks that are never moved: 4 d bytes a row."""

    def __init__(self) -> None:
        self._blocks: list[Floats] = []
        self.size = 0

    def blocks(self) -> Iterator[tuple[int, Floats]]:
        """Yield the number of the first row of each block, and its rows."""
        for start, block in zip(range(0, self.size, _ROWS), self._blocks, strict=True):
            yield start, block[: self.size - start]

    def add(self, vector: Floats) -> None:
        block, row = divmod(self.size, _ROWS)
        if block == len(self._blocks):
            self._blocks.append(np.empty((_ROWS, len(vector)), np.float32))
        self._blocks[block][row] = vector
        self.size += 1

    def near(self, vector: Floats, numbers: Numbers, threshold: float) -> list[Near]:
        """Return those of `numbers` whose cosine is at least `threshold`, nearest first."""
        if not len(numbers):
            return []
        places = (divmod(int(number), _ROWS) for number in numbers)
        wide = np.stack([self._blocks[block][row] for block, row in places])
        # A sum row by row: a matrix product would round by its shape.
        cosines = (wide.astype(np.float64) * vector).sum(axis=1).clip(-1.0, 1.0)
        order = np.lexsort((numbers, -cosines))
        order = order[cosines[order] >= threshold - _ROUNDING]
        return [Near(int(numbers[one]), float(cosines[one])) for one in order]


class Exact:
    """Every kept vector is looked at: 2 d n operations a row, quick to some 200,000 rows."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._kept = _Kept()

    def walk(self, vectors: Floats, take: Take) -> None:
        """Ask `take` about each row, with all that is near."""
        if not len(vectors):
            return
        before = self._kept.size
        nominated = self._nominated(vectors)
        for row, vector in enumerate(vectors):
            since = np.arange(before, self._kept.size)
            numbers = np.concatenate([nominated[row], since])
            if take(row, self._kept.near(vector, numbers, self._threshold)):
                self._kept.add(vector)

    def _nominated(self, vectors: Floats) -> list[Numbers]:
        """Return, for each row, the numbers of kept vectors that may be near enough."""
        found: list[list[Numbers]] = [[np.empty(0, np.int64)] for _ in vectors]
        for start, block in self._kept.blocks():
            rows, numbers = np.nonzero(vectors @ block.T >= self._threshold - _SLACK)
            borders = np.searchsorted(rows, np.arange(1, len(vectors)))
            for row, some in enumerate(np.split(numbers + start, borders)):
                found[row].append(some)
        return [np.concatenate(some) for some in found]


class Hnsw:
    """The likely nearest by a graph of neighbours (Malkov and Yashunin, 2016), from usearch.

    A row takes a fraction of a millisecond however many are kept. Some near pairs are missed, and
    of more than 64 near neighbours the rest is not seen; a pair that is found has its exact cosine.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._kept = _Kept()
        self._graph: Any = None

    def walk(self, vectors: Floats, take: Take) -> None:
        """Ask `take` about each row, with what the graph finds."""
        for row, vector in enumerate(vectors):
            near = self._near(vector)
            if take(row, near):
                # One thread: a graph built by several depends on which of them was quicker.
                self._started(len(vector)).add(self._kept.size, vector, threads=1)
                self._kept.add(vector)

    def _near(self, vector: Floats) -> list[Near]:
        if self._graph is None:
            return []
        found = self._graph.search(vector, _ASKED, threads=1)
        return self._kept.near(vector, found.keys.astype(np.int64), self._threshold)

    def _started(self, dims: int) -> Any:
        if self._graph is None:
            from usearch.index import Index

            self._graph = Index(ndim=dims, metric="ip", dtype="f32")
        return self._graph


Index = Literal["exact", "hnsw"]


def readable(vectors: Floats) -> list[int]:
    """Return which rows are vectors at all: a text of which a model read nothing has zeros."""
    return [row for row, vector in enumerate(vectors) if vector.any()]


def unit_vectors(values: Sequence[Any], dims: int) -> Floats:
    """Return lists of `dims` numbers as (rows, dims) vectors of length 1, and all else as zeros.

    With `dims` 0 the first list of numbers says how many; (rows, 0) if there is none.
    """
    lists = [_numbers(value) for value in values]
    dims = dims or next((len(one) for one in lists if len(one)), 0)
    vectors = np.zeros((len(lists), dims), np.float32)
    for row, one in enumerate(lists):
        length = float(np.linalg.norm(one)) if len(one) == dims else 0.0
        if 0 < length < np.inf:
            vectors[row] = one / length
    return vectors


def _numbers(value: Any) -> NDArray[np.float64]:
    """Return a list of numbers as an array; an empty one for anything else."""
    listed = cast("list[Any]", value) if isinstance(value, list | tuple) else []
    if not all(type(one) in (int, float) for one in listed):
        return np.empty(0)
    with suppress(OverflowError):  # an integer beyond all floats
        return np.array(listed, np.float64)
    return np.empty(0)


def nearest(index: Index, threshold: float) -> Nearest:
    """Return an empty index that finds what has a cosine of at least `threshold`."""
    return Exact(threshold) if index == "exact" else Hnsw(threshold)


def want_index(index: Index) -> None:
    """Raise PluginError if the package that an index needs is missing."""
    if index == "hnsw" and importlib.util.find_spec("usearch") is None:
        raise PluginError(
            "`index: hnsw` needs the package usearch: run `pip install 'expertsynth[semantic]'`"
        )
