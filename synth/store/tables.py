"""The tables of a run's database, and the SQL that fills them.

A record stands in several stage files; its row is the one of the last. Rows are wide (they hold
texts) and may outnumber memory, so only their places are sorted as a whole; the texts follow window
by window.
"""
# ruff: noqa: S608 (SQL is put together from names of ours, numbers, quoted labels and file names)
# pyarrow and duckdb have no complete type stubs; what they return is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa

from synth.errors import StorageError
from synth.store.columns import floats, integers, texts

TABLES = """
CREATE TABLE records (
    id VARCHAR, parents VARCHAR[], family VARCHAR, stage VARCHAR, position BIGINT[], state VARCHAR,
    drop_kind VARCHAR, drop_by VARCHAR, drop_reason VARCHAR,
    fields JSON USING COMPRESSION zstd, messages JSON USING COMPRESSION zstd
);
CREATE TABLE verdicts (
    record_id VARCHAR, stage VARCHAR, verifier VARCHAR, label VARCHAR, version VARCHAR,
    outcome VARCHAR, reason VARCHAR, score DOUBLE, evidence JSON
);
CREATE TABLE calls (
    key VARCHAR, engine VARCHAR, model VARCHAR, record_id VARCHAR, stage VARCHAR, step VARCHAR,
    sample BIGINT, prompt JSON USING COMPRESSION zstd, finish_reason VARCHAR, prompt_tokens BIGINT,
    completion_tokens BIGINT, seconds DOUBLE
);
CREATE VIEW sft AS
    SELECT id, family, position, messages, fields FROM records
    WHERE state = 'live' AND messages->>'$[#-1].role' = 'assistant';
CREATE VIEW drops AS
    SELECT stage, drop_kind, drop_by, split_part(drop_reason, ':', 1) AS code,
           count(*) AS records, min_by(id, position) AS example
    FROM records WHERE drop_kind IS NOT NULL
    GROUP BY ALL ORDER BY records DESC, stage, drop_by, code;
"""

_CALLS = pa.schema(
    [
        *((name, pa.string()) for name in ("key", "engine", "model", "record_id", "stage", "step")),
        ("sample", pa.int64()),
        ("prompt", pa.string()),
        ("finish_reason", pa.string()),
        ("prompt_tokens", pa.int64()),
        ("completion_tokens", pa.int64()),
        ("seconds", pa.float64()),
    ]
)
_COLUMN = {pa.string(): texts, pa.int64(): integers, pa.float64(): floats}
# Sort what is narrow, then fetch: SQLite would carry the prompts through its sorter.
_CALLS_IN_ORDER = """
SELECT lower(hex(key)), engine, model, record_id, stage, step, sample, prompt, finish_reason,
       prompt_tokens, completion_tokens, seconds
FROM (SELECT rowid AS place FROM calls ORDER BY record_id, stage, step, sample, key) AS ordered
CROSS JOIN calls ON calls.rowid = ordered.place
"""
_CALLS_A_BATCH = 1024


def quoted(value: object) -> str:
    """Return a value as an SQL text."""
    return "'" + str(value).replace("'", "''") + "'"


def insert_records(connection: Any, stages: Sequence[tuple[str, Path]], size: int) -> None:
    """Fill `records` and `verdicts` from the stage files, `size` records at once."""
    if not stages:
        return
    _place(connection, stages)
    found = connection.execute(
        f"SELECT rank // {size} AS number, file, min(line), max(line) FROM places "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    for number, parts in groupby(found, key=itemgetter(0)):
        rows = " UNION ALL ".join(
            _rows_between(stages[file], file, first, last) for _, file, first, last in parts
        )
        _insert_window(
            connection, f"({rows}) JOIN places USING (file, line) WHERE rank // {size} = {number}"
        )
    connection.execute("DROP TABLE places")


def _place(connection: Any, stages: Sequence[tuple[str, Path]]) -> None:
    """Make the table `places`: file and line of each record's last row, and its rank in the run."""
    every = " UNION ALL ".join(
        f"SELECT {number} AS file, file_row_number AS line, id, position FROM {_rows_of(path)}"
        for number, (_, path) in enumerate(stages)
    )
    connection.execute(
        f"""
        CREATE TEMP TABLE places AS
        SELECT file, line, row_number() OVER (ORDER BY position, id) - 1 AS rank
        FROM ({every}) SEMI JOIN (
            SELECT max(file) AS file, max_by(line, file) AS line FROM ({every}) GROUP BY id
        ) USING (file, line)
        """
    )


def _rows_of(path: Path) -> str:
    # DuckDB takes a path for a pattern, in which a character between brackets is itself.
    literal = re.sub(r"([*?\[])", r"[\1]", str(path))
    return f"read_parquet({quoted(literal)}, file_row_number = true)"


def _rows_between(stage: tuple[str, Path], number: int, first: int, last: int) -> str:
    """Return SQL for some rows of a stage file; DuckDB reads only the row groups that hold them."""
    label, path = stage
    return (
        f"SELECT {number} AS file, {quoted(label)} AS stage, file_row_number AS line, "
        f"* EXCLUDE file_row_number FROM {_rows_of(path)} "
        f"WHERE file_row_number BETWEEN {first} AND {last}"
    )


def _insert_window(connection: Any, chosen: str) -> None:
    """Copy the records that the SQL `chosen` names, and the verdicts on them."""
    connection.execute(
        f"""
        INSERT INTO records
        SELECT id, parents, family, stage, position, state, drop_kind, drop_by, drop_reason,
               {_json("fields")}, {_json("messages")}
        FROM {chosen} ORDER BY rank;
        INSERT INTO verdicts
        SELECT id, given.stage, given.verifier, given.label, given.version, given.outcome,
               coalesce(given.reason, ''), given.score, {_json("given.evidence")}
        FROM (
            SELECT id, rank, unnest(judgements) AS given,
                   generate_subscripts(judgements, 1) AS number
            FROM {chosen}
        ) ORDER BY rank, number
        """
    )


def _json(column: str) -> str:
    """Return SQL for a text column as JSON: what DuckDB refuses becomes a JSON string."""
    return f"coalesce(TRY_CAST({column} AS JSON), to_json({column}))"


def insert_calls(connection: Any, store: Path) -> None:
    """Fill `calls` from the call store, if there is one. Raises StorageError when it is damaged."""
    if not store.is_file():
        return
    try:
        with contextlib.closing(
            sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True)
        ) as sqlite:
            found = sqlite.execute(_CALLS_IN_ORDER)
            calls = pa.RecordBatchReader.from_batches(_CALLS, _batches(found))
            connection.register("stored_calls", calls)
            connection.execute(
                f"INSERT INTO calls SELECT * REPLACE ({_json('prompt')} AS prompt) "
                "FROM stored_calls"
            )
            connection.unregister("stored_calls")
    except sqlite3.Error as error:
        raise StorageError(f"cannot read {store.name}: {error}") from error


def _batches(found: sqlite3.Cursor) -> Iterator[Any]:
    while rows := found.fetchmany(_CALLS_A_BATCH):
        columns = zip(*rows, strict=True)
        arrays = [
            _COLUMN[field.type](column) for column, field in zip(columns, _CALLS, strict=True)
        ]
        yield pa.record_batch(arrays, schema=_CALLS)
