"""How unlike rows are, in whole steps: sums of them do not depend on the order of adding."""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from synth.curation.choice import Numbers
from synth.curation.vectors import Exact, exact
from synth.similarity.kernels import kernel

Steps = NDArray[np.int32]
FARTHEST = (1 << 31) - 1
"""More steps than any two rows are apart."""
_TILE = 2048
"""Rows that are held against as many others at once: the products take 32 MB."""
_REMEMBERED = 1 << 26
"""Distances that are kept at hand: 256 MB."""


class Distances:
    """1 - exp(-distance / d) between rows in d dimensions, in steps.

    Those that were computed last are kept at hand.
    """

    def __init__(self, embeddings: NDArray[Any]) -> None:
        self._vectors = exact(embeddings, slice(None))
        rows, dims = self._vectors.shape
        self._squares = _squares(self._vectors)
        self._scale = _scale(max(dims, 1))
        slots = min(rows, max(_REMEMBERED // max(rows, 1), 128))
        self._table = np.empty((slots, rows), np.int32)
        self._slots = np.full(rows, -1, np.int64)
        self._rows = np.full(slots, -1, np.int64)
        self._next = 0

    @property
    def steps(self) -> float:
        """How many steps a whole 1 is."""
        return self._scale.steps

    def has(self, row: int) -> bool:
        """Tell whether the distances of a row are at hand."""
        return bool(self._slots[row] >= 0)

    def of(self, row: int) -> Steps:
        """Return those of a row from all rows."""
        if not self.has(row):
            self.remember([row])
        return self._table[self._slots[row]]

    def remember(self, rows: Sequence[int]) -> None:
        """Have the distances of up to 64 rows at hand; those longest there make room."""
        wanted = np.array([row for row in rows if not self.has(row)], np.int64)
        if not len(wanted):
            return
        slots = (self._next + np.arange(len(wanted))) % len(self._rows)
        self._next = int(slots[-1]) + 1
        gone = self._rows[slots]
        self._slots[gone[gone >= 0]] = -1
        self._slots[wanted], self._rows[slots] = slots, wanted
        for start in range(0, len(self._squares), _TILE):
            part = slice(start, start + _TILE)
            self._table[slots, part] = self._between(wanted, part)

    def tiles(self) -> Iterator[tuple[slice, slice, Steps]]:
        """Yield the distances of each part of the rows from each other part once, in tiles."""
        parts = [slice(start, start + _TILE) for start in range(0, len(self._squares), _TILE)]
        for place, columns in enumerate(parts):
            for rows in parts[: place + 1]:
                yield rows, columns, self._between(rows, columns)

    def _between(self, rows: Numbers | slice, columns: slice) -> Steps:
        products = self._vectors[rows] @ self._vectors[columns].T
        into = np.empty(products.shape, np.int32)
        _measure(products, self._squares[rows], self._squares[columns], self._scale, into)
        return into


class _Scale(NamedTuple):
    dims: int
    steps: float
    """Steps for a dissimilarity of 1."""
    terms: int
    """Of the series for it, after which nothing is left that counts."""


def _scale(dims: int) -> _Scale:
    farthest = 2.001 / dims
    steps = 2.0 ** math.floor(math.log2(FARTHEST / -math.expm1(-farthest)))
    terms, left = 1, farthest
    while left * steps > 1e-3:
        terms += 1
        left *= farthest / terms
    return _Scale(dims, steps, terms)


@kernel
def _squares(vectors: Exact) -> NDArray[np.float64]:
    """Return the squared length of each row; exact, as the products are."""
    squares = np.zeros(len(vectors))
    for row in range(len(vectors)):
        for value in vectors[row]:
            squares[row] += value * value
    return squares


@kernel
def _measure(
    products: Exact,
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    scale: _Scale,
    into: Steps,
) -> None:
    """Write the distances of rows from columns, given their products and squared lengths.

    1 - exp(-x) as x (1 - x/2 (1 - x/3 (…))): sums, products and square roots of doubles are the
    same on any processor, which an exponential is not. A column at a time would not be vectorised.
    """
    x, series = np.empty(len(columns)), np.empty(len(columns))
    for row in range(len(rows)):
        for place in range(len(columns)):
            squared = rows[row] + columns[place] - 2.0 * products[row, place]
            x[place] = np.sqrt(max(squared, 0.0)) / scale.dims
            series[place] = 1.0
        for term in range(scale.terms, 1, -1):
            share = 1.0 / term
            for place in range(len(columns)):
                series[place] = 1.0 - x[place] * share * series[place]
        for place in range(len(columns)):
            into[row, place] = np.int32(x[place] * series[place] * scale.steps + 0.5)


@kernel
def add_gains(tile: Steps, nearest: Steps, gains: Numbers) -> None:
    """Add to each row's gain by how much it is nearer to the columns than their `nearest`."""
    for row in range(len(gains)):
        total = np.int64(0)
        for column in range(len(nearest)):
            total += max(nearest[column] - tile[row, column], 0)
        gains[row] += total


@kernel
def add_gains_of_columns(tile: Steps, nearest: Steps, gains: Numbers) -> None:
    """Add to each column's gain by how much it is nearer to the rows than their `nearest`."""
    for row in range(len(nearest)):
        for column in range(len(gains)):
            gains[column] += max(nearest[row] - tile[row, column], 0)
