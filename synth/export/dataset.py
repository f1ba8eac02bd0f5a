"""What a dataset is before it is a file: columns with their kinds, and rows that know their split.

Each kind of dataset is a query over the run's database. The SQL that they share stands here.
"""
# pyarrow has no complete type stubs; what it returns is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

BATCH_ROWS = 2048


@dataclass(frozen=True, slots=True)
class Kind:
    """The type of a column, as Arrow and as `datasets` write it."""

    carried: Any
    """The Arrow type on the way to the file."""
    stored: Any
    """The Arrow type in the file."""
    feature: Mapping[str, Any]
    """What `datasets` keeps in the Parquet file."""
    card: dict[str, Any]
    """What `datasets` reads in the card."""


_VALUE = {"dtype": "string", "_type": "Value"}
TEXT = Kind(pa.string(), pa.string(), _VALUE, {"dtype": "string"})
_TURNS = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
PLAIN_TURNS = Kind(
    _TURNS,
    _TURNS,
    {"feature": {"role": _VALUE, "content": _VALUE}, "_type": "List"},
    {"list": [{"name": "role", "dtype": "string"}, {"name": "content", "dtype": "string"}]},
)
"""Messages of nothing but role and content: the shape that every trainer reads."""
JSON_TURNS = Kind(
    pa.list_(pa.string()),
    pa.list_(pa.json_()),
    {"feature": {"_type": "Json"}, "_type": "List"},
    {"list": "json"},
)
"""Messages with tool calls, names or reasoning. As structs each would gain the keys of all."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset, ready to be written."""

    columns: Mapping[str, Kind]
    """In this order; the first is what trainers look for."""
    tables: Iterable[Any]
    """Arrow tables with those columns and `test`: whether the row belongs to the test split."""
    says: str
    """One sentence for the card: what a row is."""


def in_test(fraction: float, *, family: str = "family") -> str:
    """Return SQL for whether a seed family is in the test split.

    It depends on nothing but the family, so no family straddles the splits, and none changes sides
    when the dataset grows.
    """
    return f"('0x' || substr(md5({family}), 1, 8))::UBIGINT / 4294967296.0 < {fraction!r}"


PLAIN = """(
    TRY_CAST(messages AS STRUCT(role VARCHAR, content VARCHAR)[]) IS NOT NULL
    AND json_structure(messages)::VARCHAR IN (
        '[{"content":"VARCHAR","role":"VARCHAR"}]', '[{"role":"VARCHAR","content":"VARCHAR"}]'
    )
)"""
"""SQL for whether messages have a role and a content, both text, and no other key."""


def turns(kind: Kind, messages: str = "messages") -> str:
    """Return SQL for a column of messages as a list: of structs, or of JSON texts."""
    if kind is PLAIN_TURNS:
        return f"CAST({messages} AS STRUCT(role VARCHAR, content VARCHAR)[])"
    return f"(from_json({messages}, '[\"JSON\"]')::VARCHAR[])"


def tables(connection: Any, sql: str, columns: Mapping[str, Kind]) -> Iterator[Any]:
    """Yield what `sql` gives, batch by batch, as tables of `columns` and `test`."""
    for batch in connection.sql(sql).to_arrow_reader(BATCH_ROWS):
        arrays = [batch.column(name).cast(kind.carried) for name, kind in columns.items()]
        yield pa.Table.from_arrays([*arrays, batch.column("test")], names=[*columns, "test"])
