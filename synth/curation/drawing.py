"""Rows drawn at random, the same on any machine.

A draw is a number made of the seed and of the row's id or position, by BLAKE2b: it needs no
generator, whose stream a later version might change, and no order in which rows must come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synth.curation.best import ranks_within
from synth.curation.choice import Choice, limited, ranks, same_length, told_apart, whole_number
from synth.curation.groups import Groups, grouped, one_group

Draws = NDArray[np.uint64]


def random_choice(
    rows: Any,
    *,
    seed: int | str,
    most: int | None = None,
    groups: Any = None,
    caps: int | Mapping[Any, int] | None = None,
) -> Choice:
    """Keep `most` rows at random, and of each group at most its cap.

    `rows` is the number of rows, or their ids (an Arrow column or a sequence of texts). By ids, a
    row's luck depends on its id and the seed alone: it stays when rows are added or reordered, and
    a larger `most` keeps what a smaller one kept. `caps` is one number for all groups, or one for
    each value that it names, and none for others.

    The rank is the place in the order of drawing. Raises ValueError for negative numbers, and for
    `caps` without `groups`.
    """
    draws = drawn(rows, seed)
    if groups is None and caps is not None:
        raise ValueError("caps hold for groups: give groups, a value for each row")
    places = one_group(len(draws)) if groups is None else grouped(groups)
    same_length("groups", len(places.codes), len(draws))
    order = np.argsort(draws, kind="stable")
    rank, limit = ranks(order, len(order)), _caps(places, caps)
    full = ranks_within(places, order) > limit
    fitting = ranks(order[~full[order]], len(order))
    most = limited(most, len(order))
    reasons = (
        "",
        "group_full: {limit} were drawn before it in {group}",
        f"not_drawn: {most} were drawn before it; it was number {{rank}} of {len(order)}",
    )
    told = {"group": places, "limit": limit}
    return Choice(told_apart(full, fitting > most), rank, reasons, told)


def drawn(rows: Any, seed: int | str) -> Draws:
    """Return a number of 64 bits for each row: of a number of rows, or of those with these ids."""
    names = map(str, range(rows)) if isinstance(rows, int) else _texts(rows)
    start = blake2b(str(seed).encode(), digest_size=32).digest()
    hashed = b"".join(blake2b(name.encode(), digest_size=8, key=start).digest() for name in names)
    return np.frombuffer(hashed, "<u8").astype(np.uint64)


def _texts(ids: Any) -> Iterable[str]:
    # An Arrow column gives its texts all at once: one by one they take ten times as long.
    return map(str, ids.to_pylist() if hasattr(ids, "to_pylist") else ids)


def _caps(places: Groups, caps: int | Mapping[Any, int] | None) -> NDArray[np.int64]:
    none = len(places.codes)
    if isinstance(caps, Mapping):
        limits = [caps.get(name, none) for name in places.names]
    else:
        limits = [none if caps is None else caps] * len(places.names)
    for limit in limits:
        whole_number("a cap", limit)
    return np.array(limits, np.int64)[places.codes]
