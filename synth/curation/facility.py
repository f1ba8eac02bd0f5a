"""Facility location: the rows that together are nearest to all rows, picked greedily.

What a row adds to those picked only falls as more are picked. So what it added some picks ago
bounds what it adds now, and only rows whose bound beats all others are rated again (Minoux,
"Accelerated greedy algorithms for maximizing submodular set functions", 1978).
"""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.curation.choice import Choice, Numbers, ranks, told_apart, whole_number
from synth.curation.distances import FARTHEST, Distances, add_gains, add_gains_of_columns
from synth.curation.vectors import checked

_TOGETHER = 64
"""Rows that are rated at once: the product of a single row would wait for memory."""
_AFRESH = 2
"""Picks before which all rows are rated: nothing is known at first, and the first changes all."""


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

    Time grows with n² × d: fit for some ten thousands of rows. Memory: 8 d bytes a row and 350 MB.

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
    """What has been picked shows in how near each row has a picked one, and in nothing else."""

    def __init__(self, embeddings: NDArray[Any]) -> None:
        self._distances = Distances(embeddings)
        self._nearest = np.full(len(embeddings), FARTHEST, np.int32)
        self._rated = np.zeros(len(embeddings), np.int64)
        """How many rows were picked when a row was rated last."""
        self._bounds: list[tuple[int, int]] = []
        """A heap: the least comes first, so gains stand in it as negative numbers."""

    def picked(self, k: int) -> tuple[Numbers, NDArray[np.float64]]:
        """Return k rows in the order of picking, and what each added."""
        picked, gains = np.empty(k, np.int64), np.empty(k, np.int64)
        for place in range(k):
            if place < _AFRESH:
                self._rate_all(picked[:place])
            while self._rated[self._bounds[0][1]] < place:
                self._rate_again(place)
            bound, picked[place] = heapq.heappop(self._bounds)
            gains[place] = -bound
            np.minimum(self._nearest, self._distances.of(picked[place]), out=self._nearest)
        added = gains / self._distances.steps
        # Before the first pick a row counts as farther than any other; its similarity is then 0.
        added[:1] += len(self._nearest) * (1.0 - FARTHEST / self._distances.steps)
        return picked, added

    def _rate_all(self, picked: Numbers) -> None:
        gains = np.zeros(len(self._nearest), np.int64)
        for rows, columns, tile in self._distances.tiles():
            add_gains(tile, self._nearest[columns], gains[rows])
            if rows != columns:
                add_gains_of_columns(tile, self._nearest[rows], gains[columns])
        self._rated[:] = len(picked)
        left = np.setdiff1d(np.arange(len(gains)), picked)
        self._bounds = list(zip((-gains[left]).tolist(), left.tolist(), strict=True))
        heapq.heapify(self._bounds)

    def _rate_again(self, now: int) -> None:
        """Rate the row of the highest bound; with those after it, if it must be measured."""
        many = 1 if self._distances.has(self._bounds[0][1]) else _TOGETHER
        some = [heapq.heappop(self._bounds)[1] for _ in range(min(many, len(self._bounds)))]
        self._distances.remember(some)
        for row in some:
            gain = np.zeros(1, np.int64)
            add_gains(self._distances.of(row)[None], self._nearest, gain)
            heapq.heappush(self._bounds, (-int(gain[0]), row))
            self._rated[row] = now
