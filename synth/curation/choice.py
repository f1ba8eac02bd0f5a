"""Which rows of a set are kept, and why each of the others is not.

Everything is a column of n values, so that a million rows take some tens of megabytes; a sentence
is made only when somebody asks for that row's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Scores = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Choice:
    """What was chosen among n rows. Rows are numbered from 0, in the order in which they came."""

    why: NDArray[np.int8]
    """For each row, which of `reasons` it is left out for; 0 if it is kept."""
    rank: Numbers
    """For each row, its place from 1 in the order of the method; 0 where that gives it none."""
    reasons: tuple[str, ...]
    """`code: sentence`, with places for `{rank}` and the columns of `told`; the first is empty."""
    told: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the sentences name: columns, of which `[row]` is a row's value. `other` holds rows."""

    @property
    def kept(self) -> NDArray[np.bool_]:
        """For each row, whether it stays."""
        return self.why == 0

    def reason(self, row: int, named: Callable[[int], str] = str) -> str:
        """Return why a row is left out, as `code: sentence`; "" if it is kept.

        `named` returns what to call another row that the sentence speaks of: its id, say.
        """
        sentence = self.reasons[int(self.why[row])]
        values: dict[str, Any] = {name: column[row] for name, column in self.told.items()}
        if "{other}" in sentence:
            values["other"] = named(int(values["other"]))
        return sentence.format(**values, rank=self.rank[row])


def told_apart(*cases: NDArray[np.bool_]) -> NDArray[np.int8]:
    """Return for each row the number, from 1, of the first case that holds; 0 if none does."""
    return np.select(cases, np.arange(1, len(cases) + 1, dtype=np.int8), np.int8(0))


def ranks(order: Numbers, rows: int) -> Numbers:
    """Return each row's place, from 1, in an order of rows; 0 for those that are not in it."""
    places = np.zeros(rows, np.int64)
    places[order] = np.arange(1, len(order) + 1)
    return places


def whole_number(name: str, value: int | None) -> None:
    """Raise ValueError if a number of rows is negative. None means no limit."""
    if value is not None and value < 0:
        raise ValueError(f"{name} must be a number of rows, 0 or more, got {value}")


def limited(most: int | None, rows: int) -> int:
    """Return how many of the rows may be kept at most."""
    whole_number("most", most)
    return rows if most is None else min(most, rows)


def same_length(name: str, found: int, rows: int) -> None:
    """Raise ValueError if a column does not have one value for each row."""
    if found != rows:
        raise ValueError(f"{name} must have one value for each of the {rows} rows, got {found}")
