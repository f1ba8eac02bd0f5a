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
from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from json.encoder import encode_basestring
from pathlib import Path
from struct import pack
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synth.errors import StorageError
from synth.record import Drop, Judgement, Message, Record, Verdict, canonical

# Arrow's own allocator keeps what was freed: reading one file would hold 40 MB more than malloc does.
pa.set_memory_pool(pa.system_memory_pool())

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
_IN_ORDER = [("order", "ascending"), ("id", "ascending")]
_SPOOL_ROWS = 1024
_GROUP_ROWS = 4096
_SPOOL_BATCHES_HELD = 8
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
        "id": [record.id for record in records],
        "parents": [record.parents for record in records],
        "family": [record.family for record in records],
        "position": [record.position for record in records],
        "state": [record.state for record in records],
        "drop_kind": [drop.kind if drop else None for drop in drops],
        "drop_by": [drop.by if drop else None for drop in drops],
        "drop_reason": [drop.reason if drop else None for drop in drops],
        "fields": list(_fields_texts(records)),
        "messages": [_messages_text(record.messages) for record in records],
        "judgements": _judgements(records),
        "order": [_order(record.position) for record in records],
    }
    arrays = [pa.array(columns[field.name], field.type) for field in _SPOOL]
    return pa.record_batch(arrays, schema=_SPOOL)


def _order(position: tuple[int, ...]) -> bytes:
    """Return bytes that sort as the position does."""
    return pack(f">{len(position)}Q", *position)


def _fields_texts(records: Iterable[Record]) -> Iterator[str]:
    """Yield the fields of each as canonical JSON; children share the very object with their parent."""
    known: object = None
    text = ""
    for record in records:
        if record.fields is not known:
            known, text = record.fields, canonical(record.fields)
        yield text


def _messages_text(messages: Sequence[Message]) -> str:
    """Return canonical JSON; written out for plain messages, which is three times faster."""
    if any(len(message) != 2 for message in messages):
        return canonical(messages)
    try:
        turns = [
            f'{{"content":{encode_basestring(message["content"])},"role":{encode_basestring(message["role"])}}}'
            for message in messages
        ]
    except (KeyError, TypeError):
        return canonical(messages)
    return f"[{','.join(turns)}]"


def _judgements(records: Sequence[Record]) -> Any:
    given = [judgement for record in records for judgement in record.judgements]
    verdicts = [judgement.verdict for judgement in given]
    columns = [
        [judgement.stage for judgement in given],
        [judgement.label for judgement in given],
        [judgement.verifier for judgement in given],
        [judgement.version for judgement in given],
        [verdict.outcome for verdict in verdicts],
        [verdict.reason or None for verdict in verdicts],
        [verdict.score for verdict in verdicts],
        [None if verdict.evidence is None else canonical(verdict.evidence) for verdict in verdicts],
    ]
    arrays = [
        pa.array(column, field.type) for column, field in zip(columns, _JUDGEMENT, strict=True)
    ]
    offsets = accumulate((len(record.judgements) for record in records), initial=0)
    structs = pa.StructArray.from_arrays(arrays, fields=list(_JUDGEMENT))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), structs)


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
        self._spool_path = path.with_suffix(".spool")
        self._unsorted = path.with_suffix(".parquet.part")
        self._waiting: list[Record] = []
        self._spool = pa.OSFile(str(self._spool_path), "wb")
        self._writer = pa.ipc.new_file(self._spool, _SPOOL)
        self._counts: Counter[str] = Counter()

    def add(self, records: Iterable[Record]) -> None:
        """Take rows; those of one `position` and id must come once."""
        for record in records:
            self._waiting.append(record)
            self._counts[record.dropped.kind if record.dropped else record.state] += 1
            if len(self._waiting) == _SPOOL_ROWS:
                self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_batch(_batch(self._waiting))
            self._waiting.clear()

    def finish(self) -> None:
        """Sort all rows by position, write the file and give it its name."""
        self._flush()
        self._writer.close()
        self._spool.close()
        metadata = {"synth.key": self.key, "synth.counts": canonical(self._counts)}
        self._write_sorted(SCHEMA.with_metadata(metadata))
        with self._unsorted.open("rb+") as written:
            os.fsync(written.fileno())
        self._unsorted.rename(self.path)
        self._spool_path.unlink()

    def _write_sorted(self, schema: Any) -> None:
        with pq.ParquetWriter(
            self._unsorted,
            schema,
            compression="zstd",
            use_dictionary=_REPEATING,
            write_statistics=False,
        ) as writer:
            for table in _Spool(self._spool_path).in_order():
                writer.write_table(table.cast(schema), row_group_size=_GROUP_ROWS)

    def abandon(self) -> None:
        """Close and remove what was spooled; no file appears."""
        self._waiting.clear()
        self._writer.close()
        self._spool.close()
        self._spool_path.unlink(missing_ok=True)
        self._unsorted.unlink(missing_ok=True)


class _Spool:
    """The batches of a spool, read as they are needed: a few at a time in memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: OrderedDict[int, Any] = OrderedDict()

    def in_order(self) -> Iterator[Any]:
        """Yield tables of rows sorted by position, then id."""
        ranked = self._ranked()
        with pa.OSFile(str(self._path)) as file:
            reader = pa.ipc.open_file(file)
            for start in range(0, len(ranked), _GROUP_ROWS):
                yield self._gather(reader, ranked.slice(start, _GROUP_ROWS))

    def _ranked(self) -> Any:
        """Return the numbers of all rows in the order that they shall have; reads two columns only."""
        columns = [_SPOOL.get_field_index(name) for name, _ in _IN_ORDER]
        options = pa.ipc.IpcReadOptions(included_fields=columns)
        with pa.OSFile(str(self._path)) as file:
            return pc.sort_indices(pa.ipc.open_file(file, options=options).read_all(), _IN_ORDER)

    def _gather(self, reader: Any, rows: Any) -> Any:
        """Return the wanted rows, in order. Every batch but the last has `_SPOOL_ROWS` rows."""
        numbers = pc.divide(rows, _SPOOL_ROWS)
        lines = pc.subtract(rows, pc.multiply(numbers, _SPOOL_ROWS))
        parts = pa.concat_tables(
            pa.table(self._batch(reader, number).take(lines.filter(pc.equal(numbers, number))))
            for number in sorted(pc.unique(numbers).to_pylist())
        )
        return parts.sort_by(_IN_ORDER).drop_columns(["order"])

    def _batch(self, reader: Any, number: int) -> Any:
        if number not in self._held:
            self._held[number] = reader.get_batch(number)
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
    """Yield the records of a stage file by position, of one `state` or of all.

    Raises StorageError when the file is damaged: the records before the damage were yielded.
    """
    for batch in _stored(path):
        wanted = batch if state is None else batch.filter(pc.equal(batch["state"], state))
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
