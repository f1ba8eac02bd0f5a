"""The best rows by a score: so many or such a share of them, of all or of each group.

A score that is NaN means "not scored". Such rows come after all others, whichever way the order
goes, and count as equal.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synth.curation.choice import (
    Choice,
    Numbers,
    Scores,
    same_length,
    told_apart,
    whole_number,
)
from synth.curation.groups import Groups, grouped, one_group

Ties = Literal["first", "last"]
_UNWANTED = 3
"""The place of `no_quota` among the reasons of `_best_of_each`."""


def scores_of(values: ArrayLike) -> Scores:
    """Return scores as doubles. Raises ValueError unless there is one for each row."""
    scores = np.asarray(values, np.float64)
    if scores.ndim != 1:
        raise ValueError(f"scores must be one number a row, got an array of shape {scores.shape}")
    return scores


def best_first(values: ArrayLike, *, ascending: bool = False, ties: Ties = "first") -> Numbers:
    """Return the rows' numbers, highest score first (`ascending`: lowest first), NaN last.

    Of rows with equal scores the `first` or the `last` in the set comes first.
    """
    scores = scores_of(values)
    keys = scores if ascending else -scores
    if ties == "last":
        return len(keys) - 1 - np.argsort(keys[::-1], kind="stable")
    return np.argsort(keys, kind="stable")


def top(
    scores: ArrayLike,
    *,
    k: int | None = None,
    share: float | None = None,
    ascending: bool = False,
    ties: Ties = "first",
    groups: Any = None,
) -> Choice:
    """Keep the `k` rows with the highest score, or a `share` (0 to 1) of all rows.

    `share` keeps int(n × share) rows, in doubles, as the published scripts count: 0.29 of 100 rows
    are 28. With `groups`, a value for each row, `k` and `share` hold for each group, and so does
    the rank. Rows without a score count among the n, and are kept only when nothing else is left.
    Of fewer rows than `k` all are kept.

    Superfiltering's order (Li et al., 2024) is the default: descending, NaN last, ties by position.
    Cherry's (Li et al., 2023) is `ties="last"`: its first script sorts (score, position) pairs
    upward and takes the end; n is there the number of rows that passed its filter.

    Raises ValueError unless exactly one of `k` and `share` is given, within its range.
    """
    numbers = scores_of(scores)
    places = _groups_of(groups, len(numbers))
    order = best_first(numbers, ascending=ascending, ties=ties)
    return _best_of_each(places, order, _limits(places.sizes, k, share), numbers)


def quota(
    groups: Any,
    quotas: Mapping[Any, float],
    *,
    scores: ArrayLike | None = None,
    total: int | None = None,
    others: float = 0,
) -> Choice:
    """Keep so many rows of each group, the best by `scores` first, else the first in the set.

    `quotas` gives for a value of `groups` (a value for each row) a number of rows (an int) or a
    share (a float, 0 to 1): of that group's rows, or of `total` rows where that is given, so that
    shares make a mix. A group that lacks rows leaves its quota unfilled. `others` holds for each
    value that `quotas` does not name; None names the rows without a value. The rank is that within
    the group.

    Raises ValueError for a negative number and a share beyond 1.
    """
    places = grouped(groups)
    numbers = None if scores is None else scores_of(scores)
    order = np.arange(len(places.codes)) if numbers is None else best_first(numbers)
    same_length("scores", len(order), len(places.codes))
    wanted = [quotas.get(name, others) for name in places.names]
    sizes = places.sizes if total is None else np.full(len(places.names), total)
    limits = [limit_of(size, one) for size, one in zip(sizes.tolist(), wanted, strict=True)]
    choice = _best_of_each(places, order, np.array(limits, np.int64), numbers)
    choice.why[np.array([not one for one in wanted], bool)[places.codes]] = _UNWANTED
    return choice


def threshold(
    scores: ArrayLike,
    *,
    at_least: float | None = None,
    above: float | None = None,
    at_most: float | None = None,
    below: float | None = None,
) -> Choice:
    """Keep the rows whose score is within all bounds that are given; NaN is within none.

    No rank is given. Cherry keeps `at_most=1`, Superfiltering `below=1`, AlpaGasus
    `at_least=4.5`.
    """
    numbers = scores_of(scores)
    known = ~np.isnan(numbers)
    cases, reasons = [~known], ["", "not_scored: there is no score to hold against a bound"]
    for bound, within, code, words in (
        (at_least, np.greater_equal, "too_low", "at least"),
        (above, np.greater, "too_low", "more than"),
        (at_most, np.less_equal, "too_high", "at most"),
        (below, np.less, "too_high", "less than"),
    ):
        if bound is not None:
            cases.append(~within(numbers, bound))
            reasons.append(f"{code}: {{score:g}} where {words} {bound:g} is wanted")
    ranks = np.zeros(len(numbers), np.int64)
    return Choice(told_apart(*cases), ranks, tuple(reasons), {"score": numbers})


def ranks_within(places: Groups, order: Numbers) -> Numbers:
    """Return each row's place, from 1, in its group; `order` names all rows, the first first."""
    together = order[np.argsort(places.codes[order], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(places.sizes)[:-1]])
    ranks = np.empty(len(order), np.int64)
    ranks[together] = np.arange(len(order)) - starts[places.codes[together]] + 1
    return ranks


def _groups_of(groups: Any, rows: int) -> Groups:
    if groups is None:
        return one_group(rows)
    same_length("groups", len(groups), rows)
    return grouped(groups)


def _limits(sizes: Numbers, k: int | None, share: float | None) -> NDArray[np.int64]:
    if (k is None) == (share is None):
        raise ValueError(f"top needs either k or share, got k={k} and share={share}")
    whole_number("k", k)
    if share is None:
        return np.full(len(sizes), k, np.int64)
    return np.array([limit_of(size, float(share)) for size in sizes.tolist()], np.int64)


def limit_of(size: int, wanted: float) -> int:
    """Return how many rows a number (an int) or a share (a float) of `size` rows are."""
    if isinstance(wanted, int):
        whole_number("a quota", wanted)
        return wanted
    if not 0 <= wanted <= 1:
        raise ValueError(f"a share must be between 0 and 1, got {wanted}")
    return int(size * wanted)


def _best_of_each(places: Groups, order: Numbers, limits: Numbers, scores: Scores | None) -> Choice:
    ranks = ranks_within(places, order)
    limit = limits[places.codes]
    told: dict[str, Any] = {"group": places, "limit": limit, "size": places.sizes[places.codes]}
    place = "number {rank} of {size}" + (" in {group}" if len(places.names) > 1 else "")
    scored = "" if scores is None else " with a score of {score:g}"
    reasons = (
        "",
        f"not_scored: {place}; only the first {{limit}} are kept",
        f"outranked: {place}{scored}; only the first {{limit}} are kept",
        "no_quota: nothing of {group} is wanted",
    )
    out = ranks > limit
    if scores is None:
        return Choice(told_apart(out & False, out), ranks, reasons, told)
    told["score"] = scores
    return Choice(told_apart(out & np.isnan(scores), out), ranks, reasons, told)
