"""The selections once more, as plain loops over rows: what the quick ones are held against."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from synth.curation.choice import Choice

Embeddings = np.ndarray

few_scores = st.lists(st.sampled_from([0.0, 1.0, 2.0, 3.5, math.inf, -math.inf, math.nan]))
"""Scores of which many are equal."""


def on_a_grid(rows: int, dims: int = 2) -> st.SearchStrategy[Embeddings]:
    """Return embeddings of small whole numbers: zeros, equal rows and equal cosines among them."""
    return arrays(np.float32, (rows, dims), elements=st.integers(-2, 2).map(float))


def kept(choice: Choice) -> list[int]:
    """Return the rows kept, by position."""
    return np.flatnonzero(choice.kept).tolist()


def in_order(choice: Choice) -> list[int]:
    """Return the rows kept, by rank."""
    return sorted(kept(choice), key=lambda row: choice.rank[row])


def codes(choice: Choice) -> list[str]:
    """Return the code of the reason of each row."""
    return [choice.reason(row).partition(":")[0] for row in range(len(choice.kept))]


def sorted_rows(scores: Sequence[float], *, lowest: bool = False) -> list[int]:
    """Return the rows' numbers by score, NaN last, ties by position."""

    def key(row: int) -> tuple[bool, float]:
        score = scores[row]
        return (True, 0.0) if math.isnan(score) else (False, score if lowest else -score)

    return sorted(range(len(scores)), key=key)


def cosine(one: Embeddings, other: Embeddings) -> float:
    """Return the cosine of two vectors, 0 for one without a direction."""
    lengths = math.hypot(*one) * math.hypot(*other)
    return math.fsum(a * b for a, b in zip(one, other, strict=True)) / lengths if lengths else 0.0


def walked(
    scores: Sequence[float], embeddings: Embeddings, max_cosine: float, most: int, batch: int
) -> list[int]:
    """Return the rows that DEITA's walk keeps, in order, as its authors' program takes batches."""
    rows = [embeddings[row].astype(float) for row in sorted_rows(scores)]
    taken: list[int] = []
    starts: Iterable[int] = [0, *range(1, len(rows), batch)] if rows else []
    for start in starts:
        stop = min(start + batch, len(rows)) if start else 1
        before = list(taken)
        for place in range(start, stop):
            against = [*before, *range(start, place)]
            # A cosine at the bound, give or take what single precision loses, is not above it.
            if all(cosine(rows[place], rows[one]) <= max_cosine + 1e-6 for one in against):
                taken.append(place)
    order = sorted_rows(scores)
    return [order[place] for place in taken[:most]]


def covered(tags: Sequence[Sequence[str]], most: int) -> list[int]:
    """Return the rows that InsTag's sampling takes, in order, pass after pass."""
    left = sorted(range(len(tags)), key=lambda row: -len(set(tags[row])))
    left = [row for row in left if tags[row]]
    taken: list[int] = []
    while left and len(taken) < most:
        seen: set[str] = set()
        for row in list(left):
            if set(tags[row]) - seen and len(taken) < most:
                seen |= set(tags[row])
                taken.append(row)
                left.remove(row)
    return taken


def similarities(embeddings: Embeddings) -> np.ndarray:
    """Return exp(-distance / d) between rows of length 1."""
    wide = embeddings.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    wide = wide / np.where(lengths > 0, lengths, 1.0)
    between = np.linalg.norm(wide[:, None] - wide[None], axis=2)
    return np.exp(-between / wide.shape[1])
