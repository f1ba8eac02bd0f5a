"""How unlike rows are, in whole steps: sums of them do not depend on the order of adding."""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations_with_replacement
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
_AT_ONCE = 1 << 22
"""Distances that are asked for at once: the products take as much."""
_KEPT = 1 << 27
"""Distances that are kept, in 512 MB: those of 11,585 rows. For more rows they come again."""


class Distances:
    """1 - exp(-distance / d) between rows in d dimensions, in steps."""

    def __init__(self, embeddings: NDArray[Any]) -> None:
        self._vectors = exact(embeddings, slice(None))
        self._squares = _squares(self._vectors)
        self._scale = _scale(max(self._vectors.shape[1], 1))
        self._table = self._whole_table()

    @property
    def steps(self) -> float:
        """How many steps a whole 1 is."""
        return self._scale.steps

    def of(self, rows: Numbers) -> Steps:
        """Return the distances of some rows from all rows: (some, n)."""
        return self._between(rows, slice(None)) if self._table is None else self._table[rows]

    def parts(self, rows: Numbers) -> Iterator[Numbers]:
        """Yield parts of `rows` that are small enough to be asked for at once."""
        at_once = max(_AT_ONCE // max(len(self._squares), 1), 1)
        for start in range(0, len(rows), at_once):
            yield rows[start : start + at_once]

    def tiles(self) -> Iterator[tuple[slice, slice, Steps]]:
        """Yield the distances of each part of the rows from each part, each pair of parts once."""
        parts = [slice(start, start + _TILE) for start in range(0, len(self._squares), _TILE)]
        for rows, columns in combinations_with_replacement(parts, 2):
            table = self._table
            tile = self._between(rows, columns) if table is None else table[rows, columns]
            yield rows, columns, tile

    def _whole_table(self) -> Steps | None:
        """Return the distances between all rows, unless they are too many to be kept."""
        rows = len(self._squares)
        if rows * rows > _KEPT:
            return None
        table = np.empty((rows, rows), np.int32)
        for part in self.parts(np.arange(rows)):
            table[part] = self._between(part, slice(None))
        return table

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


@kernel
def take_gains(distances: Steps, before: Steps, now: Steps, gains: Numbers) -> None:
    """Take from each row's gain what it gained for some rows that are now nearer to a pick.

    `distances`: (some, n); `before` and `now`: how far each of the some is from the nearest pick.
    """
    for row in range(len(before)):
        for column in range(len(gains)):
            far = distances[row, column]
            gains[column] -= max(before[row] - far, 0) - max(now[row] - far, 0)
