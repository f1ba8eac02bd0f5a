"""Embeddings whose products come out the same to the last bit, whoever multiplies them.

A row is scaled to length 1 and its values are rounded to whole multiples of 2^-26. Each product of
two values is then a whole multiple of 2^-52, and so is each sum of them, which for rows of length 1
stays below 2: both fit a double exactly. So no order of adding, no number of threads, no kind of
processor changes a cosine; what rounding takes from its value is below 1e-6.
"""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.curation.choice import Numbers
from synth.similarity.kernels import kernel

Exact = NDArray[np.float64]
ROUNDING = 1e-6
"""By how much two cosines may differ that count as equal."""
_STEPS = float(1 << 26)


def checked(embeddings: Any) -> NDArray[Any]:
    """Return embeddings as an array of (rows, d) floats. Raises ValueError if they are not one."""
    rows = np.asanyarray(embeddings)
    if rows.ndim != 2 or not np.issubdtype(rows.dtype, np.floating):
        found = f"{rows.dtype} of shape {rows.shape}"
        raise ValueError(f"embeddings must be floats of shape (rows, dimensions), got {found}")
    return rows


def exact(embeddings: NDArray[Any], rows: Numbers | slice) -> Exact:
    """Return some rows of length 1 as doubles whose products are exact: 8 d bytes a row.

    A row that has no direction, being all zeros or holding a NaN or an infinity, becomes zeros: its
    cosine with every row is 0.
    """
    # numba has no half precision, and wants rows that lie in a piece.
    into = np.array(embeddings[rows], np.float64, order="C")
    _round(into)
    return into


@kernel
def _round(rows: Exact) -> None:
    """Scale and round in place; one value after the other, so that lengths do not vary either."""
    for row in rows:
        largest = 0.0
        whole = True
        for value in row:
            whole = whole and np.isfinite(value)
            largest = max(largest, abs(value))
        if not whole or largest == 0.0:
            row[:] = 0.0
            continue
        squares = 0.0
        for value in row:
            # Without this a row of very small or very large values has no square.
            squares += (value / largest) * (value / largest)
        length = np.sqrt(squares)
        for place in range(len(row)):
            row[place] = np.rint(row[place] / largest / length * _STEPS) / _STEPS
