"""One stage's records in one Parquet file: whole and keyed, or absent.

While a stage runs, its rows go to a spool in the order they are finished. `finish` sorts them by
position, writes them under another name and renames, so the file never exists half-written. Its key
(see `run.plan`) lies in its own metadata: nothing else has to remember what it holds.
"""
# pyarrow has no type stubs: what it returns is unknown to the type checker, in this file only.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false
# pyright: reportAttributeAccessIssue=false, reportArgumentType=false

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from struct import pack
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synth.errors import StorageError
from synth.record import Drop, Judgement, Record, Verdict, canonical
from synth.store.columns import blobs, floats, integer_lists, nested, text_lists, texts, whole_texts
from synth.store.spool import ROWS, Spool

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
_GROUP_ROWS = 1024
# Where values repeat; a dictionary of ids or texts only costs time.
_REPEATING = [
    *("state", "drop_kind", "drop_by", "drop_reason"),
    *(
        f"judgements.list.element.{name}"
        for name in ("stage", "label", "verifier", "version", "outcome", "reason", "evidence")
    ),
]


def _batch(records: Sequence[Record]) -> Any:
    """Return records as a spool batch: column by column, several times faster than row by row."""
    drops = [record.dropped for record in records]
    columns = {
        "id": whole_texts(record.id for record in records),
        "parents": text_lists([record.parents for record in records]),
        "family": whole_texts(record.family for record in records),
        "position": integer_lists([record.position for record in records]),
        "state": whole_texts(record.state for record in records),
        "drop_kind": texts(drop and drop.kind for drop in drops),
        "drop_by": texts(drop and drop.by for drop in drops),
        "drop_reason": texts(drop and drop.reason for drop in drops),
        "fields": whole_texts(_fields_texts(records)),
        "messages": whole_texts(canonical(record.messages) for record in records),
        "judgements": _judgements(records),
        "order": blobs([_order(record.position) for record in records]),
    }
    return pa.record_batch([columns[name] for name in _SPOOL.names], schema=_SPOOL)


def _order(position: tuple[int, ...]) -> bytes:
    """Return bytes that sort as the position does."""
    return pack(f">{len(position)}Q", *position)


def _fields_texts(records: Iterable[Record]) -> Iterator[str]:
    """Yield the fields of each as canonical JSON; a child shares the object with its parent."""
    known: object = None
    text = ""
    for record in records:
        if record.fields is not known:
            known, text = record.fields, canonical(record.fields)
        yield text


def _judgements(records: Sequence[Record]) -> Any:
    given = [judgement for record in records for judgement in record.judgements]
    verdicts = [judgement.verdict for judgement in given]
    columns = [
        texts(judgement.stage for judgement in given),
        texts(judgement.label for judgement in given),
        texts(judgement.verifier for judgement in given),
        texts(judgement.version for judgement in given),
        texts(verdict.outcome for verdict in verdicts),
        texts(verdict.reason or None for verdict in verdicts),
        floats(verdict.score for verdict in verdicts),
        texts(
            None if verdict.evidence is None else canonical(verdict.evidence)
            for verdict in verdicts
        ),
    ]
    structs = pa.StructArray.from_arrays(columns, fields=list(_JUDGEMENT))
    return nested([record.judgements for record in records], structs)


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
    return Judgement(given["stage"], given["label"], given["verifier"], given["version"], verdict)


class StageFile:
    """The file of one stage, being written. Rows may come in any order."""

    def __init__(self, path: Path, *, key: str) -> None:
        self.path = path
        self.key = key
        self._part = path.with_suffix(".parquet.part")
        self._spool = Spool(path.with_suffix(".spool"), _SPOOL)
        self._waiting: list[Record] = []
        self._counts: Counter[str] = Counter()

    def add(self, records: Iterable[Record]) -> None:
        """Take rows; those of one `position` and id must come once."""
        for record in records:
            self._waiting.append(record)
            self._counts[record.dropped.kind if record.dropped else record.state] += 1
            if len(self._waiting) == ROWS:
                self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._spool.write(_batch(self._waiting))
            self._waiting.clear()

    def finish(self) -> None:
        """Sort all rows by position, write the file and give it its name."""
        self._flush()
        self._spool.close()
        metadata = {"synth.key": self.key, "synth.counts": canonical(self._counts)}
        self._write_sorted(SCHEMA.with_metadata(metadata))
        with self._part.open("rb+") as written:
            os.fsync(written.fileno())
        self._part.rename(self.path)
        self._spool.remove()

    def _write_sorted(self, schema: Any) -> None:
        with pq.ParquetWriter(
            self._part,
            schema,
            compression="zstd",
            use_dictionary=_REPEATING,
            write_statistics=False,
        ) as writer:
            for table in self._spool.in_order(_GROUP_ROWS):
                rows = table.drop_columns(["order"]).cast(schema)
                writer.write_table(rows, row_group_size=_GROUP_ROWS)

    def abandon(self) -> None:
        """Close and remove what was spooled; no file appears."""
        self._waiting.clear()
        self._spool.close()
        self._spool.remove()
        self._part.unlink(missing_ok=True)


def key_of(path: Path) -> str | None:
    """Return the key of a whole stage file, or None if there is none or it cannot be read."""
    metadata = _metadata(path)
    return metadata[b"synth.key"].decode() if metadata and b"synth.key" in metadata else None


def counts_of(path: Path) -> dict[str, int]:
    """Return how many rows of a stage file have each state or, if dropped, each kind of drop."""
    metadata = _metadata(path)
    return json.loads(metadata[b"synth.counts"]) if metadata else {}


def size_of(path: Path) -> tuple[int, int]:
    """Return rows and bytes (before compression) of a stage file; zeros if it cannot be read."""
    try:
        footer = pq.read_metadata(path)
    except (OSError, pa.ArrowInvalid):
        return 0, 0
    groups = (footer.row_group(number) for number in range(footer.num_row_groups))
    return footer.num_rows, sum(group.total_byte_size for group in groups)


def _metadata(path: Path) -> dict[bytes, bytes] | None:
    try:
        return pq.read_schema(path).metadata
    except (OSError, pa.ArrowInvalid):
        return None


def read(path: Path, *, state: str | None = None) -> Iterator[Record]:
    """Yield the records of a stage file by position, of one `state` or of all.

    Raises StorageError when the file is damaged: the records before the damage were yielded.
    """
    for batch in _stored(path):
        wanted = (
            batch if state is None else batch.filter(pc.equal(batch["state"], texts((state,))[0]))
        )
        for row in wanted.to_pylist():
            yield _record(row)


def is_whole(path: Path) -> bool:
    """Return whether every row of a stage file can be read; reads all of it."""
    try:
        return all(batch.schema.equals(SCHEMA) for batch in _stored(path))
    except StorageError:
        return False


def _stored(path: Path) -> Iterator[Any]:
    try:
        with pq.ParquetFile(path, pre_buffer=False) as file:
            yield from file.iter_batches(batch_size=1024, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise StorageError(
            f"the stage file {path.name} is damaged ({error}); delete it and run again"
        ) from error
