"""So many rows of each tag, where a row may have several."""
# numba's kernels have no types that anybody could check.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from synth.curation.best import best_first, limit_of, scores_of
from synth.curation.choice import Choice, Numbers, ranks, same_length, told_apart
from synth.curation.groups import Groups, Tags, tagged
from synth.similarity.kernels import kernel

_NO_QUOTA, _FULL = 1, 2


def tag_quota(
    tags: Any,
    quotas: Mapping[str, float],
    *,
    scores: ArrayLike | None = None,
    total: int | None = None,
    others: float = 0,
) -> Choice:
    """Keep rows, the best by `scores` first, as long as there is room for each of their tags.

    `tags`: for each row its tags, as an Arrow column of lists, a sequence of lists, or `Tags`.
    `quotas` gives for a tag a number of rows (an int) or a share (a float, 0 to 1): of the rows
    with that tag, or of `total` rows. No tag gets more than its quota; it may get fewer, where its
    rows have another tag that is full. A tag that is not named has the quota `others`, each on its
    own; with 0 it does not count, and a row without any tag that counts is left out. The rank is
    the place by score, or in the set; time grows with the tags, memory is 50 bytes a row and 16 a
    tag.

    Raises ValueError for a negative number and a share beyond 1.
    """
    read = tags if isinstance(tags, Tags) else tagged(tags)
    numbers = None if scores is None else scores_of(scores)
    order = np.arange(read.rows) if numbers is None else best_first(numbers)
    same_length("scores", len(order), read.rows)
    limits = _limits(read, quotas, total, others)
    why, full = np.zeros(read.rows, np.int8), np.zeros(read.rows, np.int64)
    _take(order, read.starts, read.codes, limits, why, full)
    reasons = (
        "",
        "no_quota: none of its tags has one",
        "group_full: number {rank} of {size}; the {limit} of {tag} are taken",
    )
    told = {
        "size": np.full(read.rows, read.rows),
        "limit": limits[full] if len(limits) else full,
        "tag": Groups(full, read.names),
    }
    return Choice(
        told_apart(why == _NO_QUOTA, why == _FULL), ranks(order, read.rows), reasons, told
    )


def _limits(read: Tags, quotas: Mapping[str, float], total: int | None, others: float) -> Numbers:
    """Return how many rows each tag may have; -1 for one that does not count."""
    sizes = np.zeros(len(read.names), np.int64)
    _sizes(read.starts, read.codes, sizes)
    unnamed = others or None
    return np.array(
        [
            -1 if wanted is None else limit_of(size if total is None else total, wanted)
            for size, wanted in zip(
                sizes.tolist(), (quotas.get(name, unnamed) for name in read.names), strict=True
            )
        ],
        np.int64,
    )


@kernel
def _sizes(starts: Numbers, codes: Numbers, sizes: Numbers) -> None:
    """Write how many rows have each tag."""
    seen_by = np.full(len(sizes), -1, np.int64)
    for row in range(len(starts) - 1):
        for tag in codes[starts[row] : starts[row + 1]]:
            if tag >= 0 and seen_by[tag] != row:
                seen_by[tag] = row
                sizes[tag] += 1


@kernel
def _take(
    order: Numbers, starts: Numbers, codes: Numbers, limits: Numbers, why: Any, full: Numbers
) -> None:
    """Write for each row why it is left out, or 0, and the tag that is full."""
    taken = np.zeros(len(limits), np.int64)
    for row in order:
        why[row] = _NO_QUOTA
        for tag in codes[starts[row] : starts[row + 1]]:
            if tag >= 0 and limits[tag] >= 0 and why[row] != _FULL:
                has_room = taken[tag] < limits[tag]
                why[row] = 0 if has_room else _FULL
                full[row] = tag
        if why[row] == 0:
            _count(codes[starts[row] : starts[row + 1]], limits, taken)


@kernel
def _count(tags: Numbers, limits: Numbers, taken: Numbers) -> None:
    """Count a row that is taken for each of its tags, once."""
    for place, tag in enumerate(tags):
        if tag >= 0 and limits[tag] >= 0 and tag not in tags[:place]:
            taken[tag] += 1
