"""Queues between stages: bounded in memory, never in the way.

What a stage cannot take yet waits on disk, so a slow verifier never makes the engines wait and
memory does not grow with the run. `Reordered` gives back by position what arrived in any order.
"""

from __future__ import annotations

import asyncio
import heapq
import pickle
import tempfile
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from synth.record import Record

_IN_MEMORY = 2048
_CHUNK = 256


class Spool:
    """Records parked in a nameless file of the run folder.

    Its room on disk is given back when nothing is parked any more. Raises OSError on a full disk.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._parked = 0
        self._end = 0

    def park(self, records: Sequence[Record]) -> tuple[int, int]:
        """Write records and return where they lie."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (see `close`)
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

    def close(self) -> None:
        """Let go of the file; what is parked is gone."""
        if self._file is not None:
            # Closing writes what is buffered: on a full disk that fails, and nobody needs it.
            with suppress(OSError):
                self._file.close()
            self._file = None


class Channel:
    """Records on their way from one stage to the next: first in, first out, one reader."""

    def __init__(self, folder: Path) -> None:
        self._front: deque[Record] = deque()
        self._parked: deque[tuple[int, int]] = deque()
        self._back: list[Record] = []
        self._waiting = 0
        self._spool = Spool(folder)
        self._ending = False
        self._news = asyncio.Event()

    def __len__(self) -> int:
        """How many records wait, in memory and on disk."""
        return self._waiting

    @property
    def ended(self) -> bool:
        """Whether nothing waits and nothing more will come."""
        return self._ending and not self._waiting

    def put(self, records: Sequence[Record]) -> None:
        """Take records at once; what memory has no room for goes to disk."""
        if len(self._front) < _IN_MEMORY and not self._parked and not self._back:
            self._front.extend(records)
        else:
            self._back.extend(records)
            if len(self._back) >= _CHUNK:
                self._parked.append(self._spool.park(self._back))
                self._back = []
        self._waiting += len(records)
        self._news.set()

    def end(self) -> None:
        """Say that nothing more will come."""
        self._ending = True
        self._news.set()

    def wake(self) -> None:
        """Let the reader look again at what it waits for."""
        self._news.set()

    async def news(self) -> None:
        """Wait for `put`, `end` or `wake`; one that came since the last time counts."""
        await self._news.wait()
        # Cleared after waiting, never before: what came while the reader was busy is not lost.
        self._news.clear()

    async def get(self, most: int) -> list[Record]:
        """Return up to `most` records; if none wait, those of the next news, which may be none."""
        if not self._waiting and not self._ending:
            await self.news()
        return self.take(most)

    def take(self, most: int) -> list[Record]:
        """Return up to `most` of the records that wait."""
        taken: list[Record] = []
        while self._waiting and len(taken) < most:
            if not self._front:
                self._refill()
            taken.append(self._front.popleft())
            self._waiting -= 1
        return taken

    def _refill(self) -> None:
        if self._parked:
            self._front.extend(self._spool.fetch(self._parked.popleft()))
        else:
            self._front.extend(self._back)
            self._back = []

    def close(self) -> None:
        """Let go of the disk."""
        self._spool.close()


class Roots:
    """Which seeds a stage still works on: the lowest tells what has come to rest.

    Memory: the seeds from the lowest one at work to the highest one seen.
    """

    def __init__(self) -> None:
        self._open: Counter[int] = Counter()
        self._heap: list[int] = []

    def add(self, records: Sequence[Record]) -> None:
        """Note that the stage has these."""
        for record in records:
            root = record.position[0]
            if root not in self._open:
                heapq.heappush(self._heap, root)
            self._open[root] += 1

    def remove(self, records: Sequence[Record]) -> None:
        """Note that the stage is done with these."""
        for record in records:
            self._open[record.position[0]] -= 1
        while self._heap and not self._open[self._heap[0]]:
            del self._open[heapq.heappop(self._heap)]

    def lowest(self) -> int | None:
        """Return the lowest seed number at work, or None."""
        return self._heap[0] if self._heap else None


class Reordered:
    """Gives records by position, each as soon as nothing earlier can still come.

    `settled` returns the seed number below which everything was added. Few records are held in
    memory; what waits for a slow one goes to disk.
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

    def close(self) -> None:
        """Let go of the disk."""
        self._spool.close()
