"""Arrow arrays from Python values, column by column.

`pyarrow.array` and `pyarrow.scalar` look for pandas at their first call, and so load it: 37 MB and
half a second that a run has no other use for. What is built from buffers needs no pandas.
"""
# pyarrow has no complete type stubs; what it returns is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import accumulate, chain
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# Arrow's own allocator keeps what was freed: reading one stage file would hold 40 MB more.
pa.set_memory_pool(pa.system_memory_pool())


def texts(values: Iterable[str | None]) -> Any:
    """Return a column of strings, some of them perhaps null."""
    builder = pa.lib.StringBuilder()
    builder.append_values(values)
    return builder.finish()


def whole_texts(values: Iterable[str]) -> Any:
    """Return a column of strings without nulls: for long ones twice as fast as `texts`."""
    return _joined(pa.string(), [value.encode() for value in values])


def integers(values: Iterable[int]) -> Any:
    """Return a column of 64-bit integers without nulls."""
    return _numbers(array("q", values), pa.int64())


def integer(value: int) -> Any:
    """Return an integer as Arrow's functions take it."""
    return integers((value,))[0]


def floats(values: Iterable[float | None]) -> Any:
    """Return a column of finite doubles, some of them perhaps null."""
    filled = array("d", (float("nan") if value is None else value for value in values))
    numbers = _numbers(filled, pa.float64())
    return pc.if_else(pc.is_nan(numbers), pa.nulls(1, pa.float64())[0], numbers)


def blobs(values: Sequence[bytes]) -> Any:
    """Return a column of byte strings without nulls."""
    return _joined(pa.binary(), values)


def _joined(kind: Any, values: Sequence[bytes]) -> Any:
    offsets, joined = pa.py_buffer(_offsets(values)), pa.py_buffer(b"".join(values))
    return pa.Array.from_buffers(kind, len(values), [None, offsets, joined])


def integer_lists(values: Sequence[Sequence[int]]) -> Any:
    """Return a column of lists of integers."""
    return nested(values, integers(chain.from_iterable(values)))


def text_lists(values: Sequence[Sequence[str]]) -> Any:
    """Return a column of lists of strings."""
    return nested(values, texts(chain.from_iterable(values)))


def nested(values: Iterable[Sequence[Any]], items: Any) -> Any:
    """Return a column of lists as long as those in `values`, made of `items`, all in one row."""
    return pa.ListArray.from_arrays(_numbers(_offsets(values), pa.int32()), items)


def _offsets(values: Iterable[Sequence[Any]]) -> array[int]:
    return array("i", accumulate((len(value) for value in values), initial=0))


def _numbers(values: array[Any], kind: Any) -> Any:
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])
