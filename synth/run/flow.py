"""Records streaming through stages: every stage at work at once, each record on its own way.

Each stage is a *lane*, and what leaves one is offered to the next. A lane that depends on order
must know when nothing earlier can still come: the lanes before it note the seeds they work on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise

from synth.record import Record
from synth.run.boundary import shown
from synth.run.channel import Roots
from synth.run.lane import Lane, finished
from synth.run.progress import StageProgress
from synth.store.stage_file import StageFile

_FEED = 256
_NOTHING_MORE = 1 << 62


class Flow:
    """A source and the lanes behind it."""

    def __init__(
        self,
        source: Iterator[Record],
        lanes: Sequence[Lane],
        *,
        seeds: tuple[StageFile, StageProgress] | None,
    ) -> None:
        self._source = source
        self._lanes = lanes
        self._seeds = seeds
        self._next_root = 0
        self._after = {id(lane): later for lane, later in pairwise(lanes)}
        self._ordered = [lane for lane in lanes if lane.in_order]
        if self._ordered:
            for earlier in lanes[: lanes.index(self._ordered[-1])]:
                earlier.roots = Roots()
        self.stopping = False

    async def run(self) -> None:
        """Let everything flow. Raises the first OutsideError or InputError; cancels the rest."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._feed())
                for lane in self._lanes:
                    tasks.create_task(lane.run(self))
        except BaseExceptionGroup as group:
            raise shown(group) from None
        finally:
            for lane in self._lanes:
                lane.inbox.close()

    def stop(self) -> None:
        """Begin nothing new; `run` returns when what is in flight has ended."""
        self.stopping = True
        for lane in self._lanes:
            lane.stop()

    def hand_on(self, lane: Lane, records: Sequence[Record]) -> None:
        """Give the next lane what left this one."""
        following = self._after.get(id(lane))
        if following is not None and records:
            following.offer(records)

    def ended(self, lane: Lane) -> None:
        """Tell the next lane that nothing more will come."""
        following = self._after.get(id(lane))
        if following is not None:
            following.inbox.end()

    def moved(self) -> None:
        """Let lanes that wait for order look again."""
        for lane in self._ordered:
            lane.inbox.wake()

    def settled_before(self, lane: Lane) -> int:
        """Return the seed number below which everything has reached the inbox of `lane`."""
        lowest = self._next_root
        for earlier in self._lanes:
            if earlier is lane:
                break
            at_work = earlier.lowest_root()
            lowest = lowest if at_work is None else min(lowest, at_work)
        return lowest

    async def _feed(self) -> None:
        first = self._lanes[0] if self._lanes else None
        if first is not None and first.step.stage.chooses and self._seeds is None:
            await self._end_feed(first)  # it reads the file that the source would be
            return
        while not self.stopping:
            if first is not None:
                await first.room()
            records = await asyncio.to_thread(lambda: list(islice(self._source, _FEED)))
            if not records:
                break
            live = self._note(records)
            self._next_root = records[-1].position[0] + (0 if self._seeds is None else 1)
            if first is not None:
                first.offer(live)
            self.moved()
        if not self.stopping:
            await self._end_feed(first)

    def _note(self, records: list[Record]) -> list[Record]:
        """Write seeds to their file, unless they come from a finished one."""
        if self._seeds is None:
            return records
        file, progress = self._seeds
        progress.took(len(records))
        file.add(records)
        for record in records:
            progress.left(record)
        progress.done += len(records)
        return [record for record in records if record.state == "live"]

    async def _end_feed(self, first: Lane | None) -> None:
        if self._seeds is not None:
            file, progress = self._seeds
            await finished(file)
            progress.finish()
        self._next_root = _NOTHING_MORE
        if first is not None:
            first.inbox.end()
        self.moved()
