"""The run as tables of one DuckDB file: whole, or absent.

Everything in it can be made again from the stage files and the call store, so it is built anew each time, under
another name. A record stands in several stage files; its row is the one of the last. Rows are wide (they
hold texts) and may outnumber memory, so only their places are sorted as a whole; the texts follow window by
window.
"""
# pyarrow and duckdb have no complete type stubs; what they return is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from synth.errors import InputError, RunError, StorageError
from synth.store import stage_file

FILE = "dataset.duckdb"
Error = duckdb.Error
"""What DuckDB raises while a query runs."""

# DuckDB must live in what a run leaves of its memory: one thread, few rows between two flushes.
_WINDOW_ROWS = 4096
_OFFLINE = {"autoinstall_known_extensions": False}
_LIMITS = {
    **_OFFLINE,
    "threads": 1,
    "memory_limit": "96MB",
    "write_buffer_row_group_count": 1,
}

_TABLES = """
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
    SELECT id, family, position, messages FROM records
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
# Sort what is narrow, then fetch: SQLite would carry the prompts through its sorter.
_CALLS_IN_ORDER = """
SELECT lower(hex(key)), engine, model, record_id, stage, step, sample, prompt, finish_reason,
       prompt_tokens, completion_tokens, seconds
FROM (SELECT rowid AS place FROM calls ORDER BY record_id, stage, step, sample, key) AS ordered
CROSS JOIN calls ON calls.rowid = ordered.place
"""
_CALLS_A_BATCH = 1024


def build(folder: Path, stages: Sequence[tuple[str, Path]]) -> None:
    """Make `dataset.duckdb` in `folder` from `stages` (label and file, in order) and `store.sqlite`.

    Rows of `records` are ordered by position, then id; of `calls` by record, stage, step and sample. Text
    that is no JSON (a lone surrogate, written by another program) is kept as a JSON string. Raises
    StorageError when the disk is full, the folder is not writable, or a file is damaged; the database that
    stood there before then still stands.
    """
    part, temporary = folder / f"{FILE}.part", folder / f"{FILE}.tmp"
    try:
        _remove(part, temporary)
        with _building(part, temporary) as connection:
            connection.execute(_TABLES)
            _insert_records(connection, stages)
            _insert_calls(connection, folder / "store.sqlite")
        part.replace(folder / FILE)
        folder.joinpath(f"{FILE}.wal").unlink(missing_ok=True)
    except duckdb.Error as error:
        raise _explained(error, stages) from error
    except OSError as error:
        raise StorageError(f"cannot write {FILE}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            _remove(part, temporary)


def _remove(part: Path, temporary: Path) -> None:
    for path in (part, part.with_name(part.name + ".wal")):
        path.unlink(missing_ok=True)
    shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _building(part: Path, temporary: Path) -> Iterator[Any]:
    """Yield a connection whose default database is the new file `part`."""
    settings = {**_LIMITS, "temp_directory": str(temporary)}
    with duckdb.connect(":memory:", config=settings) as connection:
        # Only an attached file can have small row groups, and only full ones leave memory before the end.
        connection.execute(f"ATTACH {_quoted(part)} AS run (ROW_GROUP_SIZE {_WINDOW_ROWS})")
        connection.execute("USE run; BEGIN")
        yield connection
        connection.execute("COMMIT; CHECKPOINT run; USE memory; DETACH run")


def _quoted(value: object) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _insert_records(connection: Any, stages: Sequence[tuple[str, Path]]) -> None:
    if not stages:
        return
    every = " UNION ALL ".join(
        f"SELECT {number} AS file, file_row_number AS line, id, position FROM {_rows_of(path)}"
        for number, (_, path) in enumerate(stages)
    )
    connection.execute(
        f"""
        CREATE TEMP TABLE places AS
        SELECT file, line, row_number() OVER (ORDER BY position, id) - 1 AS rank FROM (
            SELECT id, max(file) AS file, max_by(line, file) AS line, max_by(position, file) AS position
            FROM ({every}) GROUP BY id
        )
        """  # noqa: S608 (numbers and quoted file names)
    )
    windows: dict[int, list[tuple[int, int, int]]] = {}
    for window, *lines in connection.execute(
        f"SELECT rank // {_WINDOW_ROWS} AS number, file, min(line), max(line) FROM places "  # noqa: S608
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        windows.setdefault(window, []).append((lines[0], lines[1], lines[2]))
    for window, parts in windows.items():
        _insert_window(connection, stages, window, parts)
    connection.execute("DROP TABLE places")


def _rows_of(path: Path) -> str:
    return f"read_parquet({_quoted(path)}, file_row_number = true)"


def _insert_window(
    connection: Any,
    stages: Sequence[tuple[str, Path]],
    window: int,
    parts: Sequence[tuple[int, int, int]],
) -> None:
    """Copy the records of one window from the row groups of the stage files that hold them."""
    rows = " UNION ALL ".join(
        f"SELECT {file} AS file, {_quoted(stages[file][0])} AS stage, file_row_number AS line, "  # noqa: S608
        f"* EXCLUDE file_row_number FROM {_rows_of(stages[file][1])} "
        f"WHERE file_row_number BETWEEN {first} AND {last}"
        for file, first, last in parts
    )
    chosen = f"({rows}) JOIN places USING (file, line) WHERE rank // {_WINDOW_ROWS} = {window}"
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
            SELECT id, rank, unnest(judgements) AS given, generate_subscripts(judgements, 1) AS number
            FROM {chosen}
        ) ORDER BY rank, number
        """  # noqa: S608 (names of ours, numbers, quoted file names and labels)
    )


def _json(column: str) -> str:
    """Return SQL for a text column as JSON: what DuckDB refuses becomes a JSON string."""
    return f"coalesce(TRY_CAST({column} AS JSON), to_json({column}))"


def _insert_calls(connection: Any, store: Path) -> None:
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
                f"INSERT INTO calls SELECT * REPLACE ({_json('prompt')} AS prompt) FROM stored_calls"  # noqa: S608
            )
            connection.unregister("stored_calls")
    except sqlite3.Error as error:
        raise StorageError(f"cannot read {store.name}: {error}") from error


def _batches(found: sqlite3.Cursor) -> Iterator[Any]:
    while rows := found.fetchmany(_CALLS_A_BATCH):
        columns = zip(*rows, strict=True)
        yield pa.record_batch(
            [pa.array(column, kind) for column, kind in zip(columns, _CALLS.types, strict=True)],
            schema=_CALLS,
        )


def _explained(error: duckdb.Error, stages: Iterable[tuple[str, Path]]) -> StorageError:
    """Return what a failed build means: a damaged stage file if there is one, else the disk."""
    for _, path in stages:
        if not stage_file.is_whole(path):
            return StorageError(f"the stage file {path.name} is damaged; delete it and run again")
    return StorageError(f"cannot build {FILE}: {error}. Is the disk full?")


def connect(folder: Path, *, read_only: bool = True, sparing: bool = False) -> Any:
    """Return a DuckDB connection to the database of a run; use it in a `with`.

    `sparing` keeps it to the memory that a run has to spare. Raises RunError when there is no database,
    StorageError when it cannot be opened.
    """
    path = folder / FILE
    if not path.is_file():
        raise RunError(f"{str(folder)!r} has no {FILE}: `synth run` makes it at the end of a run")
    settings = {**_LIMITS, "temp_directory": str(folder / f"{FILE}.tmp")} if sparing else _OFFLINE
    try:
        return duckdb.connect(str(path), read_only=read_only, config=settings)
    except duckdb.Error as error:
        raise StorageError(f"cannot open {FILE}: {error}") from error


def query(folder: Path, sql: str) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """Return the column names and the rows that `sql` gives over the tables of a run, read only.

    Rows are fetched as they are asked for. Raises InputError when DuckDB refuses the query.
    """
    connection = connect(folder)
    try:
        connection.execute(sql)
    except duckdb.Error as error:
        tables = [name for (name,) in connection.execute("SHOW TABLES").fetchall()]
        connection.close()
        raise InputError(f"{error}\nTables: {', '.join(tables)}.") from error
    return [column[0] for column in connection.description or ()], _rows(connection)


def _rows(connection: Any) -> Iterator[tuple[Any, ...]]:
    with connection:
        try:
            while rows := connection.fetchmany(1024):
                yield from rows
        except duckdb.Error as error:
            raise InputError(str(error)) from error
