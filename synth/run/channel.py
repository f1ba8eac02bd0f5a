"""Queues between stages: bounded in memory, never in the way.

What a stage cannot take yet waits on disk, so a slow verifier never makes the engines wait and memory does
not grow with the run. `Reordered` gives back by position what arrived in any order.
"""

from __future__ import annotations

import asyncio
import heapq
import pickle
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path

from synth.record import Record

_IN_MEMORY = 2048
_CHUNK = 256


class Spool:
    """Records parked in a nameless file of the run folder; its room is given back when it is empty."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: tempfile._TemporaryFileWrapper[bytes] | None = None
        self._parked = 0
        self._end = 0

    def park(self, records: Sequence[Record]) -> tuple[int, int]:
        """Write records and return where they lie."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (lives as long as the run)
        written = pickle.dumps(records, protocol=pickle.HIGHEST_PROTOCOL)
        place = (self._end, len(written))
        self._file.seek(self._end)
        self._file.write(written)
        self._end += len(written)
        self._parked += 1
        return place

    def fetch(self, place: tuple[int, int]) -> Sequence[Record]:
        """Return the records of one place; each place is fetched once."""
        assert self._file is not None
        self._file.seek(place[0])
        records: Sequence[Record] = pickle.loads(self._file.read(place[1]))  # noqa: S301 (ours)
        self._parked -= 1
        if self._parked == 0:
            self._file.truncate(0)
            self._end = 0
        return records


class Channel:
    """Records on their way from one stage to the next, first in, first out."""

    def __init__(self, folder: Path) -> None:
        self._front: deque[Record] = deque()
        self._parked: deque[tuple[int, int]] = deque()
        self._back: list[Record] = []
        self._spool = Spool(folder)
        self._closed = False
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    def __len__(self) -> int:
        """How many records wait in memory."""
        return len(self._front) + len(self._back)

    def put(self, records: Sequence[Record]) -> None:
        """Take records at once; what memory has no room for goes to disk."""
        if len(self._front) < _IN_MEMORY and not self._parked and not self._back:
            self._front.extend(records)
        else:
            self._back.extend(records)
            if len(self._back) >= _CHUNK:
                self._parked.append(self._spool.park(self._back))
                self._back = []
        if len(self._front) >= _IN_MEMORY:
            self._room.clear()
        self._news.set()

    async def room(self) -> None:
        """Wait until there is room in memory: for a source, which has no reason to run ahead."""
        await self._room.wait()

    def close(self) -> None:
        """Say that nothing more will come."""
        self._closed = True
        self._news.set()

    def wake(self) -> None:
        """Let a waiting `get` look again (it may return nothing)."""
        self._news.set()

    @property
    def empty(self) -> bool:
        """Whether nothing waits, in memory or on disk."""
        return not (self._front or self._parked or self._back)

    @property
    def ended(self) -> bool:
        """Whether it is closed and empty."""
        return self._closed and self.empty

    async def get(self, most: int) -> list[Record]:
        """Return up to `most` records, waiting for news if there is none; empty when woken or ended."""
        if not self._front:
            self._refill()
        if not self._front and not self._closed:
            self._news.clear()
            await self._news.wait()
            self._refill()
        taken = [self._front.popleft() for _ in range(min(most, len(self._front)))]
        if len(self._front) < _IN_MEMORY // 2:
            self._room.set()
        return taken

    def _refill(self) -> None:
        if self._front:
            return
        if self._parked:
            self._front.extend(self._spool.fetch(self._parked.popleft()))
        else:
            self._front.extend(self._back)
            self._back = []


class Roots:
    """Which seeds a stage still works on: the lowest tells what has come to rest."""

    def __init__(self) -> None:
        self._open: Counter[int] = Counter()
        self._heap: list[int] = []

    def add(self, records: Sequence[Record]) -> None:
        """Note that the stage has these."""
        for record in records:
            root = record.position[0]
            if self._open[root] == 0:
                heapq.heappush(self._heap, root)
            self._open[root] += 1

    def remove(self, records: Sequence[Record]) -> None:
        """Note that the stage is done with these."""
        for record in records:
            self._open[record.position[0]] -= 1

    def lowest(self) -> int | None:
        """Return the lowest seed number at work, or None."""
        while self._heap and self._open[self._heap[0]] == 0:
            del self._open[heapq.heappop(self._heap)]
        return self._heap[0] if self._heap else None


class Reordered:
    """Gives records by position, each as soon as nothing earlier can still come.

    `settled` returns the seed number below which everything has arrived. Few records are held in memory;
    what waits for a slow one goes to disk.
    """

    def __init__(self, folder: Path, settled: Callable[[], int]) -> None:
        self._settled = settled
        self._spool = Spool(folder)
        self._held: list[tuple[tuple[int, ...], str, Record | tuple[int, int]]] = []
        self._in_memory = 0

    def __len__(self) -> int:
        """How many records wait."""
        return len(self._held)

    def add(self, records: Sequence[Record]) -> None:
        """Take records in any order."""
        for record in records:
            held: Record | tuple[int, int] = record
            if self._in_memory < _IN_MEMORY:
                self._in_memory += 1
            else:
                held = self._spool.park([record])
            heapq.heappush(self._held, (record.position, record.id, held))

    def take(self, most: int) -> list[Record]:
        """Return up to `most` records that are next in order."""
        limit, taken = self._settled(), list[Record]()
        while self._held and len(taken) < most and self._held[0][0][0] < limit:
            held = heapq.heappop(self._held)[2]
            if isinstance(held, Record):
                self._in_memory -= 1
                taken.append(held)
            else:
                taken.extend(self._spool.fetch(held))
        return taken
