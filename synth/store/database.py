"""The run as tables of one DuckDB file: whole, or absent.

Everything in it can be made again from the stage files and the call store, so it is built anew each
time, under another name. It must be built in what a run leaves of its memory.
"""
# duckdb has no complete type stubs; what it returns is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from synth.errors import InputError, RunError, StorageError
from synth.store import stage_file
from synth.store.tables import TABLES, insert_calls, insert_records, quoted

T = TypeVar("T")

FILE = "dataset.duckdb"
Error = duckdb.Error
"""What DuckDB raises while a query runs."""

# Enough for rows of a few kilobytes. Nobody can tell beforehand what longer ones need: where it was
# too little, the work is begun again with more.
_MEMORY_LIMITS = ("32MB", "48MB", "160MB", "640MB", "4GB")
_WINDOW_ROWS = (2048, 8192)
_WINDOW_BYTES = 16 << 20
_OFFLINE: dict[str, Any] = {"autoinstall_known_extensions": False}
_LIMITS: dict[str, Any] = {
    **_OFFLINE,
    "threads": 1,
    "write_buffer_row_group_count": 1,
    "parquet_metadata_cache": True,
}


def build(folder: Path, stages: Sequence[tuple[str, Path]]) -> None:
    """Make `dataset.duckdb` in `folder` from `stages` (label and file, in order) and its calls.

    Rows of `records` are ordered by position, then id; of `calls` by record, stage, step, sample.
    Text that is no JSON (a lone surrogate, written by another program) is kept as a JSON string.
    Raises StorageError when the disk is full, the folder is not writable, or a file is damaged; the
    database that stood there before then still stands.
    """
    part, temporary = folder / f"{FILE}.part", folder / f"{FILE}.tmp"
    try:
        within_memory(partial(_build, folder, part, temporary, stages))
        part.replace(folder / FILE)
        folder.joinpath(f"{FILE}.wal").unlink(missing_ok=True)
    except duckdb.Error as error:
        raise _explained(error, stages) from error
    except OSError as error:
        raise StorageError(f"cannot write {FILE}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            _remove(part, temporary)


def within_memory(work: Callable[[str], T]) -> T:
    """Return what `work` returns when it is given a memory limit for DuckDB that is enough for it.

    It is begun again with a higher one when DuckDB had too little.
    """
    for limit in _MEMORY_LIMITS[:-1]:
        with contextlib.suppress(duckdb.OutOfMemoryException):
            return work(limit)
    return work(_MEMORY_LIMITS[-1])


def _build(
    folder: Path, part: Path, temporary: Path, stages: Sequence[tuple[str, Path]], limit: str
) -> None:
    _remove(part, temporary)
    window = _window_rows(stages)
    with _building(part, temporary, window, limit) as connection:
        connection.execute(TABLES)
        insert_records(connection, stages, window)
        insert_calls(connection, folder / "store.sqlite")


def _window_rows(stages: Sequence[tuple[str, Path]]) -> int:
    """Return how many records to copy at once: what 16 MB hold, in DuckDB's vectors of 2,048."""
    sizes = [stage_file.size_of(path) for _, path in stages]
    rows, size = (sum(column) for column in zip((1, 1), *sizes, strict=True))
    least, most = _WINDOW_ROWS
    return max(least, min(most, _WINDOW_BYTES * rows // size // least * least))


def _remove(part: Path, temporary: Path) -> None:
    for path in (part, part.with_name(part.name + ".wal")):
        path.unlink(missing_ok=True)
    shutil.rmtree(temporary, ignore_errors=True)


@contextlib.contextmanager
def _building(part: Path, temporary: Path, window: int, limit: str) -> Generator[Any]:
    """Yield a connection whose default database is the new file `part`."""
    settings = _sparing(temporary, limit)
    with duckdb.connect(":memory:", config=settings) as connection:
        # Only an attached file can have small row groups, and only full ones leave memory early.
        connection.execute(f"ATTACH {quoted(part)} AS run (ROW_GROUP_SIZE {window})")
        connection.execute("USE run; BEGIN")
        yield connection
        connection.execute("COMMIT; CHECKPOINT run; USE memory; DETACH run")


def _sparing(temporary: Path, limit: str) -> dict[str, Any]:
    return {**_LIMITS, "memory_limit": limit, "temp_directory": str(temporary)}


def _explained(error: duckdb.Error, stages: Iterable[tuple[str, Path]]) -> StorageError:
    """Return what a failed build means: a damaged stage file if there is one, else the disk."""
    for _, path in stages:
        if not stage_file.is_whole(path):
            return StorageError(f"the stage file {path.name} is damaged; delete it and run again")
    return StorageError(f"cannot build {FILE}: {error}. Is the disk full?")


def connect(folder: Path, *, memory_limit: str = "") -> Any:
    """Return a DuckDB connection that reads the database of a run; use it in a `with`.

    A `memory_limit` (`32MB`) also keeps it to one thread. Raises RunError when there is no
    database, StorageError when it cannot be opened.
    """
    path = folder / FILE
    if not path.is_file():
        raise RunError(f"{str(folder)!r} has no {FILE}: `synth run` makes it at the end of a run")
    sparing = _sparing(folder / f"{FILE}.tmp", memory_limit) if memory_limit else _OFFLINE
    try:
        return duckdb.connect(str(path), read_only=True, config=sparing)
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
