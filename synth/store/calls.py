"""Every finished call and verdict, in one SQLite file: what was paid for is never paid for again.

Writes go through one thread that commits in groups; whoever hands in a row waits until its group is
on disk. Reads are point look-ups on a connection of their own (WAL: readers and the writer do not
block each other).
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from synth.errors import StorageError

CallRow = tuple[bytes, str, str, str, str, str, int, str, str, int, int, str, float]
"""key, engine, model, record id, stage, step, sample, prompt, completion, prompt tokens, completion
tokens, finish reason, seconds. Prompt and completion are JSON text."""
VerdictRow = tuple[bytes, str, float]
"""key, verdict as JSON text, seconds."""

_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    key BLOB PRIMARY KEY, engine TEXT, model TEXT, record_id TEXT, stage TEXT, step TEXT,
    sample INTEGER, prompt TEXT, completion TEXT, prompt_tokens INTEGER, completion_tokens INTEGER,
    finish_reason TEXT, seconds REAL
);
CREATE TABLE IF NOT EXISTS verdicts (
    key BLOB PRIMARY KEY, verdict TEXT, seconds REAL
) WITHOUT ROWID;
"""
_INSERT = {
    "calls": "INSERT OR IGNORE INTO calls VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
    "verdicts": "INSERT OR IGNORE INTO verdicts VALUES (?,?,?)",
}
_KEYS_A_QUERY = 500


@dataclass(slots=True)
class _Group:
    """Rows that are committed together, and who waits for them."""

    rows: dict[str, list[tuple[Any, ...]]] = field(
        default_factory=lambda: {"calls": [], "verdicts": []}
    )
    done: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None


class _Seen:
    """Which keys may be there: 2 MiB of bits, so that looking up what is new costs no query.

    Keys are digests, so their first three bytes are as good as any hash. False alarms cost a query.
    """

    def __init__(self) -> None:
        self._bits = bytearray(1 << 21)

    def add(self, key: bytes) -> None:
        place = int.from_bytes(key[:3], "big")
        self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, key: bytes) -> bool:
        place = int.from_bytes(key[:3], "big")
        return bool(self._bits[place >> 3] >> (place & 7) & 1)


class Store:
    """The calls and verdicts of a run folder. One process writes; use `close` to end it.

    A group of rows gathers for `gather_s` seconds: long enough to share what a commit costs, too
    short to matter beside a model's reply.
    """

    def __init__(self, path: Path, *, gather_s: float = 0.05) -> None:
        self.path = path
        self._gather_s = gather_s
        with contextlib.ExitStack() as opened, self._damage_named():
            self._writer = opened.enter_context(contextlib.closing(self._connect()))
            self._prepare()
            self._reader = opened.enter_context(contextlib.closing(self._connect()))
            self._seen = {table: self._seen_in(table) for table in _INSERT}
            self._connections = opened.pop_all()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="synth-store")
        self._group = _Group()
        self._commit: asyncio.Task[None] | None = None
        self._closed = False

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, check_same_thread=False, timeout=30)

    def _prepare(self) -> None:
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if version > _VERSION:
            raise StorageError(
                f"{self.path.name} was written by a newer synth (format {version}, this one knows "
                f"{_VERSION}); use that one, or another folder"
            )
        self._writer.execute("PRAGMA journal_mode = WAL")
        self._writer.execute("PRAGMA synchronous = FULL")
        self._writer.executescript(_SCHEMA)
        self._writer.execute(f"PRAGMA user_version = {_VERSION}")

    @contextlib.contextmanager
    def _damage_named(self) -> Generator[None]:
        try:
            yield
        except sqlite3.ProgrammingError:
            raise  # a bug of ours, not of the file
        except sqlite3.OperationalError as error:
            raise StorageError(
                f"cannot use {self.path.name}: {error}. Make room, or see that the folder is "
                "writable, and run again: what it holds is whole"
            ) from error
        except sqlite3.DatabaseError as error:
            raise StorageError(
                f"{self.path.name} is damaged ({error}). Move it away and run again: "
                "calls that it held will be made again"
            ) from error

    def _seen_in(self, table: str) -> _Seen:
        seen = _Seen()
        for (key,) in self._reader.execute(f"SELECT key FROM {table}"):  # noqa: S608 (our names)
            seen.add(key)
        return seen

    def call(self, key: bytes) -> str | None:
        """Return the completion kept under `key`, as JSON text, or None."""
        if key not in self._seen["calls"]:
            return None
        with self._damage_named():
            query = "SELECT completion FROM calls WHERE key = ?"
            found = self._reader.execute(query, (key,)).fetchone()
        return found[0] if found else None

    def verdicts(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        """Return the verdicts kept under `keys`, as JSON text; what is not kept is left out."""
        found: dict[bytes, str] = {}
        likely = [key for key in keys if key in self._seen["verdicts"]]
        with self._damage_named():
            for start in range(0, len(likely), _KEYS_A_QUERY):
                some = likely[start : start + _KEYS_A_QUERY]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, verdict FROM verdicts WHERE key IN ({marks})"  # noqa: S608 (marks)
                found.update(self._reader.execute(query, some))
        return found

    async def keep_call(self, row: CallRow) -> None:
        """Keep a finished call; returns when it is on disk.

        Raises StorageError, and UnicodeEncodeError for text that is no valid UTF-8.
        """
        # Before it joins a group: one bad text must not take the others' calls down.
        for text in (row[7], row[8]):
            text.encode()
        await self._keep("calls", [row])

    async def keep_verdicts(self, rows: Sequence[VerdictRow]) -> None:
        """Keep verdicts; returns when they are on disk. Raises StorageError."""
        await self._keep("verdicts", rows)

    async def _keep(self, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if self._closed:
            raise StorageError(f"{self.path.name} is closed: the run has ended")
        group = self._group
        group.rows[table].extend(rows)
        if self._commit is None:
            self._commit = asyncio.create_task(self._commit_soon())
        await group.done.wait()
        if group.error:
            raise group.error
        for row in rows:
            self._seen[table].add(row[0])

    async def _commit_soon(self) -> None:
        """Let a group gather, write it, and tell those who wait; again while there is more."""
        try:
            while any(self._group.rows.values()):
                await asyncio.sleep(self._gather_s)
                group, self._group = self._group, _Group()
                await self._commit_group(group)
        finally:
            self._commit = None

    async def _commit_group(self, group: _Group) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._write, group.rows)
        except Exception as error:  # noqa: BLE001 (raised by each who waits for this group)
            group.error = error
        finally:
            group.done.set()

    def _write(self, rows: dict[str, list[tuple[Any, ...]]]) -> None:
        with self._damage_named(), self._writer:
            for table, some in rows.items():
                if some:
                    self._writer.executemany(_INSERT[table], some)

    async def close(self) -> None:
        """Write what is waiting and close the file."""
        self._closed = True
        if self._commit is not None:
            await self._commit
        self._thread.shutdown()
        with self._connections, contextlib.suppress(sqlite3.Error):
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    async def __aenter__(self) -> Self:
        """Return the open store."""
        return self

    async def __aexit__(self, *error: object) -> None:
        """Close it."""
        await self.close()
