"""A few rows of each cluster of embeddings: how Cherry draws the data for its warm-up."""
# scikit-learn is an extra, and untyped.
# pyright: reportMissingImports=false, reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false

from __future__ import annotations

import importlib.util
import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.curation.best import scores_of
from synth.curation.choice import (
    Choice,
    Numbers,
    Scores,
    ranks,
    same_length,
    told_apart,
    whole_number,
)
from synth.curation.vectors import checked
from synth.errors import PluginError

_AT_ONCE = 65536


def k_means_sample(
    embeddings: Any,
    *,
    clusters: int = 100,
    per_cluster: int = 10,
    scores: ArrayLike | None = None,
    band: tuple[float, float] = (25, 75),
    seed: int = 0,
) -> Choice:
    """Keep `per_cluster` rows of each of `clusters` clusters, those with middling scores.

    Within a cluster the rows whose score lies between the two percentiles of `band` (of that
    cluster, borders included) are taken at equal steps, by position, from the first on. A cluster
    of fewer rows than `per_cluster` is kept whole, whatever its scores; where the band holds fewer,
    these are. Without `scores` all rows are in the band; a NaN never is. All this is as in the
    authors' program, where scores are perplexities.

    Clusters are scikit-learn's k-means with the `seed`, on one thread: more would add in another
    order. They are the same for the same scikit-learn on the same kind of processor. `embeddings`:
    (n, d) floats, taken as they are; a row with a NaN or an infinity counts as zeros.

    The rank is the order of keeping, cluster by cluster; `told` has each row's `cluster` and
    `score`. Raises PluginError if scikit-learn is missing, ValueError for a band that is none.

    Time: n × clusters × d for each of some ten to a hundred rounds; memory: 4 d bytes a row.

    Source: Li et al., "From Quantity to Quality" (Cherry LLM), 2023, section 2.1.
    """
    whole_number("per_cluster", per_cluster)
    if not 0 <= band[0] <= band[1] <= 100:
        raise ValueError(f"band must be two percentiles in order, 0 to 100, got {band}")
    rows = checked(embeddings)
    numbers = np.zeros(len(rows)) if scores is None else scores_of(scores)
    same_length("scores", len(numbers), len(rows))
    labels = _labels(rows, clusters, seed)
    inside = np.zeros(len(rows), np.bool_)
    taken = [np.empty(0, np.int64)]
    for members in _members(labels):
        whole = len(members) < per_cluster
        middle = members if whole else members[_in_band(numbers[members], band)]
        inside[middle] = True
        taken.append(_evenly(middle, per_cluster))
    rank = ranks(np.concatenate(taken), len(rows))
    reasons = (
        "",
        f"outside_band: not among the middle scores ({band[0]:g} to {band[1]:g} %) of its cluster",
        f"cluster_full: {per_cluster} others were taken from its cluster",
    )
    told = {"cluster": labels, "score": numbers}
    return Choice(told_apart((rank == 0) & ~inside, rank == 0), rank, reasons, told)


def want_scikit_learn() -> None:
    """Raise PluginError if the package that clusters is missing."""
    if importlib.util.find_spec("sklearn") is None:
        raise PluginError("k-means needs scikit-learn: run `pip install 'expertsynth[classify]'`")


def _labels(embeddings: NDArray[Any], clusters: int, seed: int) -> Numbers:
    if clusters < 1:
        raise ValueError(f"clusters must be 1 or more, got {clusters}")
    if not len(embeddings):
        return np.empty(0, np.int64)
    want_scikit_learn()
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    found = KMeans(min(clusters, len(embeddings)), n_init="auto", random_state=seed, copy_x=False)
    with threadpool_limits(1), warnings.catch_warnings():
        # It warns of equal rows, which leave clusters empty; that is no trouble here.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(found.fit(_finite(embeddings)).labels_, np.int64)


def _finite(embeddings: NDArray[Any]) -> NDArray[np.float32]:
    """Return a copy in single precision, with zeros for a row that is not finite."""
    rows = np.array(embeddings, np.float32)
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        part[~np.isfinite(part).all(axis=1)] = 0.0
    return rows


def _members(labels: Numbers) -> list[Numbers]:
    """Return the rows of each cluster, by position."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.cumsum(np.bincount(labels))[:-1]) if len(labels) else []


def _in_band(scores: Scores, band: tuple[float, float]) -> NDArray[np.bool_]:
    known = scores[~np.isnan(scores)]
    if not len(known):
        return np.zeros(len(scores), np.bool_)
    low, high = np.percentile(known, band)
    return (scores >= low) & (scores <= high)


def _evenly(rows: Numbers, most: int) -> Numbers:
    """Return at most so many of the rows, with equal steps between them."""
    return rows[:: len(rows) // most][:most] if 0 < most <= len(rows) else rows[:most]
