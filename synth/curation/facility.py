"""Facility location: the rows that together are nearest to all rows, picked greedily.

A pick changes what other rows would add only through the rows that it is nearer to than all picks
before: with each pick they are fewer. So the gains of all rows are kept right at little cost, and
the next pick is the largest of them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.curation.choice import Choice, Numbers, ranks, told_apart, whole_number
from synth.curation.distances import (
    FARTHEST,
    Distances,
    Steps,
    add_gains,
    add_gains_of_columns,
    take_gains,
)
from synth.curation.vectors import checked

_PICKED = -(1 << 62)
"""The gain of a row that has been picked: less than that of any other."""


def facility_location(embeddings: Any, *, k: int) -> Choice:
    """Keep `k` rows so that all rows are as near as can be to a kept one.

    Greedy: each pick is the row that adds most to the sum, over all n rows, of the similarity with
    the most similar row picked; ties go by position. Similarity is exp(-distance / d), of the
    Euclidean distance between embeddings of length 1 in d dimensions, as in Superfiltering (which
    has it from submodlib), in steps of 2^-30 of its range. The rows are those that plain greedy
    search finds, on any number of threads.

    `embeddings`: (n, d) floats, of any length; a row of zeros, or with a NaN, lies in the origin.
    As published there are two stages: the best 10,400 rows by a score first, then 1,040 of these.

    The rank is the order of picking; 0 for rows that were not picked. `told` has the `gain` of each
    pick: what it added to the sum of similarities.

    Time grows with n² × d × log k, whatever the data: seconds for 10,000 rows of 384 dimensions, a
    minute or two for 30,000. Memory: 8 d bytes a row and at most 600 MB.

    Source: Li et al., "Superfiltering: Weak-to-Strong Data Filtering for Fast Instruction-Tuning",
    2024, section 3.4.
    """
    whole_number("k", k)
    rows = checked(embeddings)
    order, gains = _Picking(rows).picked(min(k, len(rows)))
    rank = ranks(order, len(rows))
    gained = np.full(len(rows), np.nan)
    gained[order] = gains
    reasons = ("", f"covered: not among the {len(order)} rows that stand for all")
    return Choice(told_apart(rank == 0), rank, reasons, {"gain": gained})


class _Picking:
    """What each row would add, kept right from pick to pick."""

    def __init__(self, embeddings: NDArray[Any]) -> None:
        self._distances = Distances(embeddings)
        self._nearest = np.full(len(embeddings), FARTHEST, np.int32)
        """For each row, the steps to the nearest that was picked."""
        self._gains = self._all_gains()

    def picked(self, k: int) -> tuple[Numbers, NDArray[np.float64]]:
        """Return k rows in the order of picking, and what each added."""
        picked, gains = np.empty(k, np.int64), np.empty(k, np.int64)
        for place in range(k):
            picked[place] = row = self._gains.argmax()
            gains[place] = self._gains[row]
            self._bring_nearer(self._distances.of(np.array([row]))[0])
            self._gains[picked[: place + 1]] = _PICKED
        added = gains / self._distances.steps
        # Before the first pick a row counts as farther than any other; its similarity is then 0.
        added[:1] += len(self._nearest) * (1.0 - FARTHEST / self._distances.steps)
        return picked, added

    def _bring_nearer(self, to_picked: Steps) -> None:
        nearer = np.flatnonzero(to_picked < self._nearest)
        if 2 * len(nearer) > len(self._nearest):
            self._nearest[nearer] = to_picked[nearer]
            self._gains = self._all_gains()
            return
        for rows in self._distances.parts(nearer):
            before, now = self._nearest[rows], to_picked[rows]
            take_gains(self._distances.of(rows), before, now, self._gains)
        self._nearest[nearer] = to_picked[nearer]

    def _all_gains(self) -> Numbers:
        gains = np.zeros(len(self._nearest), np.int64)
        for rows, columns, tile in self._distances.tiles():
            add_gains(tile, self._nearest[columns], gains[rows])
            if rows != columns:
                add_gains_of_columns(tile, self._nearest[rows], gains[columns])
        return gains
