"""DEITA's greedy walk: down the scores, leaving out what is too near to what was kept."""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.curation.best import best_first, scores_of
from synth.curation.choice import Choice, Numbers, Scores, limited, ranks, same_length
from synth.curation.vectors import ROUNDING, Exact, checked, exact
from synth.similarity.kernels import kernel

_BLOCK = 1024
"""Rows that are held against the kept ones at once."""
_CHUNK = 4096
"""Kept rows that they are held against at once: the cosines are then 32 MB."""
_KEPT, _TOO_NEAR, _ENOUGH = 0, 1, 2


class _Nearest(NamedTuple):
    """For some rows, the nearest row that each was held against; -1 if there was none."""

    cosine: Scores
    other: Numbers


class _Block(NamedTuple):
    """Rows that follow each other in the order."""

    numbers: Numbers
    batches: Numbers
    """Which batch each is in."""
    cosines: Exact
    """Those of each with each."""


class _Limits(NamedTuple):
    cosine: float
    room: int
    """How many more rows may be kept."""


def deita_walk(
    scores: ArrayLike,
    embeddings: Any,
    *,
    max_cosine: float = 0.9,
    most: int | None = None,
    batch: int = 1,
) -> Choice:
    """Walk the rows by descending score; keep a row unless it is too near to one that is kept.

    A row is too near if its cosine with a kept row is more than `max_cosine` (-1 to 1). A cosine
    within 1e-6 of it counts as equal, so the row stays: embeddings in single precision say no more.
    The first row is always kept; the walk ends when `most` are. Ties go by position; rows without a
    score (NaN) come last. A row of zeros, or with a NaN, has a cosine of 0 with all.

    `embeddings`: (n, d) floats, of any length; a memory map will do. The rank is the place in the
    order of scores. For a row that was reached, `told` has the nearest row (`other`; -1 for the
    first) and their `cosine`, as they were then; else -1 and NaN. The rows kept are the same on any
    number of threads.

    `batch` above 1 repeats what the authors' program does with its `batch_size`: after the first
    row, rows are taken by so many at once, and one is left out also if it is too near to an earlier
    row of its batch that was itself left out.

    Time: n × kept × d multiplications. Memory, besides the embeddings: some 150 MB and 50 bytes a
    row; a large `batch` takes 8 × batch² bytes.

    Source: Liu et al., "What Makes Good Data for Alignment?" (DEITA), 2023, section 2.4.
    """
    if batch < 1:
        raise ValueError(f"batch must be 1 or more, got {batch}")
    rows, numbers = checked(embeddings), scores_of(scores)
    same_length("embeddings", len(rows), len(numbers))
    walk = _Walk(rows, best_first(numbers))
    most = limited(most, len(numbers))
    for start, stop in _blocks(len(numbers), batch):
        if len(walk.kept) == most:
            break
        batches = (np.arange(start, stop) - 1) // batch
        walk.go_on(start, batches, _Limits(max_cosine + ROUNDING, most - len(walk.kept)))
    told = {"score": numbers, "cosine": walk.seen.cosine, "other": walk.seen.other}
    reasons = _reasons(max_cosine, len(walk.kept))
    return Choice(walk.why, ranks(walk.order, len(numbers)), reasons, told)


class _Walk:
    """How far the walk has come, and what became of the rows on its way."""

    def __init__(self, embeddings: NDArray[Any], order: Numbers) -> None:
        rows = len(order)
        self.order = order
        self.why = np.full(rows, _ENOUGH, np.int8)
        self.seen = _Nearest(np.full(rows, np.nan), np.full(rows, -1, np.int64))
        self.kept = np.empty(0, np.int64)
        self._embeddings = embeddings

    def go_on(self, start: int, batches: Numbers, limits: _Limits) -> None:
        """Decide on the rows from place `start` in the order, of which `batches` has a number."""
        numbers = self.order[start : start + len(batches)]
        vectors = exact(self._embeddings, numbers)
        nearest = _nearest_kept(self._embeddings, vectors, self.kept)
        decided = _decided(_Block(numbers, batches, vectors @ vectors.T), nearest, limits)
        reached = numbers[: len(decided)]
        self.why[reached] = decided
        self.seen.cosine[reached] = nearest.cosine[: len(decided)]
        self.seen.other[reached] = nearest.other[: len(decided)]
        self.kept = np.concatenate([self.kept, reached[decided == _KEPT]])


def _reasons(max_cosine: float, kept: int) -> tuple[str, ...]:
    return (
        "",
        f"too_near: cosine {{cosine:.4f}} to {{other}}, where at most {max_cosine:g} is wanted",
        f"enough: {kept} rows were kept before number {{rank}} by score ({{score:g}})",
    )


def _blocks(rows: int, batch: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of places that cut no batch in two; the first row is a batch of its own."""
    start, stop = 0, 1
    while start < rows:
        yield start, min(stop, rows)
        start, stop = stop, stop + max(_BLOCK // batch, 1) * batch


def _nearest_kept(embeddings: NDArray[Any], vectors: Exact, kept: Numbers) -> _Nearest:
    """Return for each of the vectors the kept row that is nearest, the first of equal ones."""
    nearest = _Nearest(np.full(len(vectors), np.nan), np.full(len(vectors), -1, np.int64))
    for start in range(0, len(kept), _CHUNK):
        chunk = kept[start : start + _CHUNK]
        cosines = vectors @ exact(embeddings, chunk).T
        place = cosines.argmax(axis=1)
        cosine = np.take_along_axis(cosines, place[:, None], axis=1)[:, 0]
        nearer = (nearest.other < 0) | (cosine > nearest.cosine)
        nearest.cosine[nearer] = cosine[nearer]
        nearest.other[nearer] = chunk[place[nearer]]
    return nearest


@kernel
def _decided(block: _Block, nearest: _Nearest, limits: _Limits) -> NDArray[np.int8]:
    """Return what becomes of the block's rows, as many as are reached, and update the nearest."""
    why = np.empty(len(block.numbers), np.int8)
    kept = 0
    for row in range(len(why)):
        if kept == limits.room:
            return why[:row]
        for earlier in range(row):
            counts = why[earlier] == _KEPT or block.batches[earlier] == block.batches[row]
            cosine = block.cosines[row, earlier]
            if counts and (nearest.other[row] < 0 or cosine > nearest.cosine[row]):
                nearest.cosine[row] = cosine
                nearest.other[row] = block.numbers[earlier]
        near = nearest.other[row] >= 0 and nearest.cosine[row] > limits.cosine
        why[row] = _TOO_NEAR if near else _KEPT
        kept += not near
    return why
