"""Columns of values as numbers: the group that each row is in, the tags that each row has."""
# pyarrow has no complete type stubs; what it returns is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synth.curation.choice import Numbers


@dataclass(frozen=True, eq=False)
class Groups:
    """The group of each row. As a column it gives the group's name."""

    codes: Numbers
    """For each row, the number of its group: 0 for the group that comes first, and so on."""
    names: list[Any]
    """The value that the rows of a group share; None for rows without one, a group like others."""

    @property
    def sizes(self) -> Numbers:
        """The number of rows in each group."""
        return np.bincount(self.codes, minlength=len(self.names)).astype(np.int64)

    def __getitem__(self, row: int) -> str:
        """Return the name of a row's group."""
        name = self.names[self.codes[row]]
        return "no value" if name is None else str(name) or "''"


def grouped(values: Any) -> Groups:
    """Return the groups of an Arrow column, an array, or a sequence; equal values are a group."""
    codes, names = _encoded(_whole(values))
    return Groups(codes, names.to_pylist())


def one_group(rows: int) -> Groups:
    """Return all rows as a single group."""
    return Groups(np.zeros(rows, np.int64), ["all"])


@dataclass(frozen=True, eq=False)
class Tags:
    """Some tags for each row: row `i` has `codes[starts[i] : starts[i + 1]]`."""

    starts: Numbers
    codes: Numbers
    """Numbers from 0; a negative one is no tag."""
    names: list[Any]
    """What a number stands for."""

    @property
    def rows(self) -> int:
        """The number of rows."""
        return len(self.starts) - 1

    def listed(self) -> list[tuple[Any, ...]]:
        """Return the names of each row's tags. Rows share the texts: a tag takes 8 bytes."""
        named = [*self.names, None]
        tags = [named[code] for code in self.codes.tolist()]
        borders = pairwise(self.starts.tolist())
        return [tuple(tag for tag in tags[at:end] if tag is not None) for at, end in borders]


def tagged(values: Any) -> Tags:
    """Return the tags of an Arrow column of lists, or of a sequence of lists; null is no tag."""
    column = _whole(values if len(values) else pa.array([], pa.list_(pa.string())))
    counts = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    codes, names = _encoded(pc.list_flatten(column).cast(pa.large_string()))
    missing = [number for number, name in enumerate(names.to_pylist()) if name is None]
    starts = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
    return Tags(starts, np.where(np.isin(codes, missing), -1, codes), names.to_pylist())


def _whole(values: Any) -> Any:
    column = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return whole.dictionary_decode() if isinstance(whole, pa.DictionaryArray) else whole


def _encoded(column: Any) -> tuple[Numbers, Any]:
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    encoded = column.dictionary_encode("encode")
    return encoded.indices.to_numpy().astype(np.int64), encoded.dictionary
