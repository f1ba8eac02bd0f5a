"""Write a dataset as Parquet, one file a split, as `datasets` itself would type it.

The bytes depend on the rows alone: row groups have a fixed size, and nothing about time or place is
kept.
"""
# pyarrow has no complete type stubs; what it returns is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synth.export.dataset import Dataset

_GROUP_ROWS = 1024


@dataclass(frozen=True, slots=True)
class Written:
    """One file of a dataset."""

    split: str
    path: str
    """Relative to the export folder, with forward slashes."""
    rows: int
    file_bytes: int
    row_bytes: int
    """Before compression, as Parquet counts it."""
    sha256: str


def write(dataset: Dataset, folder: Path, name: str) -> list[Written]:
    """Write `<folder>/<name>/train.parquet` and `test.parquet`; an empty split has no file."""
    target = folder / name
    target.mkdir(parents=True)
    schema = _schema(dataset)
    splits = {split: _Split(target / f"{split}.parquet", schema) for split in ("train", "test")}
    for table in dataset.tables:
        splits["train"].add(table.filter(pc.invert(table["test"])))
        splits["test"].add(table.filter(table["test"]))
    return [_written(split, file.path, folder) for split, file in splits.items() if file.finished()]


def _schema(dataset: Dataset) -> Any:
    features = {name: kind.feature for name, kind in dataset.columns.items()}
    schema = pa.schema([(name, kind.stored) for name, kind in dataset.columns.items()])
    return schema.with_metadata({"huggingface": json.dumps({"info": {"features": features}})})


class _Split:
    """One file, being written; it appears with its first rows."""

    def __init__(self, path: Path, schema: Any) -> None:
        self.path = path
        self._schema = schema
        self._waiting: Any = None
        self._writer: Any = None

    def add(self, table: Any) -> None:
        """Take rows; whole row groups leave at once."""
        columns = table.select(self._schema.names)
        self._waiting = pa.concat_tables([self._waiting, columns]) if self._waiting else columns
        while len(self._waiting) >= _GROUP_ROWS:
            self._write(self._waiting.slice(0, _GROUP_ROWS))
            self._waiting = self._waiting.slice(_GROUP_ROWS)

    def finished(self) -> bool:
        """Write what waits and close the file. Return whether there is one."""
        if self._waiting:
            self._write(self._waiting)
        if self._writer is not None:
            self._writer.close()
        return self._writer is not None

    def _write(self, group: Any) -> None:
        if self._writer is None:
            self._writer = pq.ParquetWriter(
                self.path, self._schema, compression="zstd", write_statistics=False
            )
        columns = group.combine_chunks().columns
        arrays = [
            _stored(column.combine_chunks(), field.type)
            for column, field in zip(columns, self._schema, strict=True)
        ]
        self._writer.write_table(
            pa.Table.from_arrays(arrays, schema=self._schema), row_group_size=_GROUP_ROWS
        )


def _stored(array: Any, kind: Any) -> Any:
    """Return a column in the type of the file: lists of JSON texts become lists of JSON."""
    if not (pa.types.is_list(kind) and kind.value_type == pa.json_()):
        return array
    values = pa.ExtensionArray.from_storage(pa.json_(), array.flatten())
    return pa.ListArray.from_arrays(pc.subtract(array.offsets, array.offsets[0]), values)


def _written(split: str, path: Path, folder: Path) -> Written:
    footer = pq.read_metadata(path)
    groups = (footer.row_group(number) for number in range(footer.num_row_groups))
    return Written(
        split=split,
        path=path.relative_to(folder).as_posix(),
        rows=footer.num_rows,
        file_bytes=path.stat().st_size,
        row_bytes=sum(group.total_byte_size for group in groups),
        sha256=_sha256(path),
    )


def _sha256(path: Path) -> str:
    hashed = sha256()
    for chunk in _chunks(path):
        hashed.update(chunk)
    return hashed.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            yield chunk
