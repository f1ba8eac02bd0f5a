"""One stage's records in one Parquet file: whole and keyed, or absent.

While a stage runs, its rows go to a spool in the order they are finished. `finish` sorts them by position,
writes them under another name and renames, so the file never exists half-written. Its key (see `run.plan`)
lies in its own metadata: nothing else has to remember what it holds.
"""
# pyarrow has no type stubs: what it returns is unknown to the type checker, in this file only.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportAttributeAccessIssue=false

from __future__ import annotations

import json
import os
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synth.record import Drop, Judgement, Record, Verdict, canonical

_JUDGEMENT = pa.struct(
    [
        ("stage", pa.string()),
        ("label", pa.string()),
        ("verifier", pa.string()),
        ("version", pa.string()),
        ("outcome", pa.string()),
        ("reason", pa.string()),
        ("score", pa.float64()),
        ("evidence", pa.string()),
    ]
)
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("parents", pa.list_(pa.string())),
        ("family", pa.string()),
        ("position", pa.list_(pa.int64())),
        ("state", pa.string()),
        ("drop_kind", pa.string()),
        ("drop_by", pa.string()),
        ("drop_reason", pa.string()),
        ("fields", pa.string()),
        ("messages", pa.string()),
        ("judgements", pa.list_(_JUDGEMENT)),
    ]
)
"""`fields`, `messages` and `evidence` are canonical JSON text."""

_SPOOL = SCHEMA.append(pa.field("order", pa.binary()))
_SPOOL_ROWS = 1024
_GROUP_ROWS = 4096
_SPOOL_BATCHES_HELD = 16


def _order(position: tuple[int, ...]) -> bytes:
    """Return bytes that sort as the position does."""
    return b"".join(step.to_bytes(5, "big") for step in position)


def _row(record: Record) -> tuple[Any, ...]:
    dropped = record.dropped
    return (
        record.id,
        record.parents,
        record.family,
        record.position,
        record.state,
        dropped.kind if dropped else None,
        dropped.by if dropped else None,
        dropped.reason if dropped else None,
        canonical(record.fields),
        canonical(record.messages),
        [_judgement_row(given) for given in record.judgements],
        _order(record.position),
    )


def _judgement_row(given: Judgement) -> dict[str, Any]:
    verdict = given.verdict
    return {
        "stage": given.stage,
        "label": given.label,
        "verifier": given.verifier,
        "version": given.version,
        "outcome": verdict.outcome,
        "reason": verdict.reason or None,
        "score": verdict.score,
        "evidence": None if verdict.evidence is None else canonical(verdict.evidence),
    }


def _record(row: dict[str, Any]) -> Record:
    return Record(
        id=row["id"],
        parents=tuple(row["parents"]),
        family=row["family"],
        position=tuple(row["position"]),
        fields=json.loads(row["fields"]),
        messages=tuple(json.loads(row["messages"])),
        state=row["state"],
        dropped=Drop(row["drop_kind"], row["drop_by"], row["drop_reason"])
        if row["drop_kind"]
        else None,
        judgements=tuple(_judgement(given) for given in row["judgements"]),
    )


def _judgement(given: dict[str, Any]) -> Judgement:
    evidence = given["evidence"]
    verdict = Verdict(
        given["outcome"],
        given["reason"] or "",
        given["score"],
        None if evidence is None else json.loads(evidence),
    )
    return Judgement(
        given["stage"], given["label"], given["verifier"], given["version"], verdict
    )


class StageFile:
    """The file of one stage, being written. Rows may come in any order."""

    def __init__(self, path: Path, *, key: str) -> None:
        self.path = path
        self.key = key
        self._spool_path = path.with_suffix(".spool")
        self._unsorted = path.with_suffix(".parquet.part")
        self._rows: list[tuple[Any, ...]] = []
        self._spool = pa.OSFile(str(self._spool_path), "wb")
        self._writer = pa.ipc.new_file(self._spool, _SPOOL)
        self._counts: dict[str, int] = {}

    def add(self, records: Iterable[Record]) -> None:
        """Take rows; those of one `position` and id must come once."""
        for record in records:
            self._rows.append(_row(record))
            kind = record.dropped.kind if record.dropped else record.state
            self._counts[kind] = self._counts.get(kind, 0) + 1
        if len(self._rows) >= _SPOOL_ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        # A spool batch is sorted by itself: rows come nearly in order, so reading back touches few batches.
        self._rows.sort(key=lambda row: row[-1])
        columns = [
            pa.array(column, field.type)
            for column, field in zip(zip(*self._rows, strict=True), _SPOOL, strict=True)
        ]
        self._writer.write_batch(pa.record_batch(columns, schema=_SPOOL))
        self._rows.clear()

    def finish(self) -> None:
        """Sort all rows by position, write the file and give it its name."""
        self._flush()
        self._writer.close()
        self._spool.close()
        metadata = {"synth.key": self.key, "synth.counts": canonical(self._counts)}
        schema = SCHEMA.with_metadata(metadata)
        with pa.OSFile(str(self._spool_path)) as spool:
            batches = _Batches(pa.ipc.open_file(spool))
            with pq.ParquetWriter(
                self._unsorted, schema, compression="zstd", write_statistics=False
            ) as writer:
                for table in batches.in_order():
                    writer.write_table(table.cast(schema), row_group_size=_GROUP_ROWS)
        with self._unsorted.open("rb+") as written:
            os.fsync(written.fileno())
        self._unsorted.rename(self.path)
        self._spool_path.unlink()

    def abandon(self) -> None:
        """Close and remove what was spooled; no file appears."""
        self._rows.clear()
        self._writer.close()
        self._spool.close()
        self._spool_path.unlink(missing_ok=True)
        self._unsorted.unlink(missing_ok=True)


class _Batches:
    """The batches of a spool, read as they are needed: a few at a time in memory."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._held: OrderedDict[int, Any] = OrderedDict()

    def in_order(self) -> Iterator[Any]:
        """Yield tables of rows sorted by position."""
        places = [
            (order, number, row)
            for number in range(self._reader.num_record_batches)
            for row, order in enumerate(self._reader.get_batch(number).column("order").to_pylist())
        ]
        places.sort()
        for start in range(0, len(places), _GROUP_ROWS):
            yield self._gather(places[start : start + _GROUP_ROWS])

    def _gather(self, places: list[tuple[bytes, int, int]]) -> Any:
        by_batch: dict[int, list[int]] = {}
        for _, number, row in places:
            by_batch.setdefault(number, []).append(row)
        parts = pa.concat_tables(
            pa.table(self._batch(number).take(pa.array(rows))) for number, rows in by_batch.items()
        )
        return parts.sort_by("order").drop_columns(["order"])

    def _batch(self, number: int) -> Any:
        if number not in self._held:
            self._held[number] = self._reader.get_batch(number)
            if len(self._held) > _SPOOL_BATCHES_HELD:
                self._held.popitem(last=False)
        return self._held[number]


def key_of(path: Path) -> str | None:
    """Return the key of a whole stage file, or None if there is none or it cannot be read."""
    metadata = _metadata(path)
    return metadata[b"synth.key"].decode() if metadata and b"synth.key" in metadata else None


def counts_of(path: Path) -> dict[str, int]:
    """Return how many rows of a stage file have each state or, if dropped, each kind of drop."""
    metadata = _metadata(path)
    return json.loads(metadata[b"synth.counts"]) if metadata else {}


def _metadata(path: Path) -> dict[bytes, bytes] | None:
    try:
        return pq.read_schema(path).metadata
    except (OSError, pa.ArrowInvalid):
        return None


def read(path: Path, *, state: str | None = None) -> Iterator[Record]:
    """Yield the records of a stage file by position, of one `state` or of all."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(batch_size=1024):
            for row in batch.to_pylist():
                if state is None or row["state"] == state:
                    yield _record(row)
