"""Records streaming through stages: every stage at work at once, each record on its own way.

A *lane* is one stage at work: an inbox, the stage, a file for what leaves it. Records move in the
order in which they are finished. A lane that depends on order gets them by position, as soon as
nothing earlier can still come; to know that, the lanes before it note the seeds they still work on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice, pairwise
from pathlib import Path

from synth.errors import InputError, OutsideError, PluginError
from synth.record import Record
from synth.run.boundary import fatal, leaving, reason, shown
from synth.run.channel import Channel, Reordered, Roots
from synth.run.plan import Step
from synth.run.progress import StageProgress
from synth.services import Services
from synth.store.stage_file import StageFile

_FEED = 256
_GATHER_S = 0.05
_AHEAD = 2048
_NOTHING_MORE = 1 << 62


class Lane:
    """One stage at work."""

    def __init__(
        self,
        step: Step,
        services: Services,
        file: StageFile,
        *,
        at_once: int,
        progress: StageProgress,
        folder: Path,
    ) -> None:
        self.step = step
        self.file = file
        self.progress = progress
        self.inbox = Channel(folder)
        self.roots = Roots()
        self.stopping = False
        self._services = services
        self._at_once = at_once
        self._ahead = _AHEAD + at_once * step.stage.batch
        self._room = asyncio.Event()
        self._folder = folder

    @property
    def in_order(self) -> bool:
        """Whether its stage must see records by position."""
        return self.step.stage.in_order

    def offer(self, records: Sequence[Record]) -> None:
        """Take records from the lane before."""
        self.progress.offered += len(records)
        self.roots.add(records)
        self.inbox.put(records)

    async def room(self) -> None:
        """Wait until few records wait here, or for `stop`: a source has no reason to run ahead."""
        while self._crowded and not self.stopping:
            self._room.clear()
            await self._room.wait()

    @property
    def _crowded(self) -> bool:
        return self.progress.offered - self.progress.done >= self._ahead

    def stop(self) -> None:
        """Begin nothing new."""
        self.stopping = True
        self.inbox.wake()
        self._room.set()

    async def run(self, flow: Flow) -> None:
        """Work until the inbox has ended, then finish the file."""
        await (self._run_in_order(flow) if self.in_order else self._run_free(flow))
        if self.stopping:
            return
        # Its workers' memory is needed no more, and writing the file needs some.
        await self._services.judge.close()
        await _finished(self.file)
        self.progress.finish()
        flow.ended(self)

    async def _run_free(self, flow: Flow) -> None:
        slots = asyncio.Semaphore(self._at_once)
        async with asyncio.TaskGroup() as tasks:
            while not (self.inbox.ended or self.stopping):
                await slots.acquire()
                if records := await self._gathered(self.step.stage.batch):
                    task = tasks.create_task(self._work(records, flow))
                    task.add_done_callback(lambda _: slots.release())
                else:
                    slots.release()

    async def _gathered(self, most: int) -> list[Record]:
        """Return up to `most` records; the first ones to come wait a moment for company."""
        records = await self.inbox.get(most)
        if self.stopping:
            return []
        if records and len(records) < most and not self.inbox.ended:
            await asyncio.sleep(_GATHER_S)
            records += self.inbox.take(most - len(records))
        return records

    async def _run_in_order(self, flow: Flow) -> None:
        waiting = Reordered(self._folder, lambda: flow.settled_before(self))
        with closing(waiting):
            while not (self.stopping or (self.inbox.ended and not len(waiting))):
                await self._drain(waiting)
                if batch := waiting.take(self.step.stage.batch):
                    await self._work(batch, flow)
                else:
                    await self.inbox.news()

    async def _drain(self, waiting: Reordered) -> None:
        """Take the whole inbox: what is settled has reached it, and must not be missed there."""
        while len(self.inbox):
            waiting.add(self.inbox.take(_FEED))
            await asyncio.sleep(0)

    async def _work(self, records: list[Record], flow: Flow) -> None:
        self.progress.took(len(records))
        became = await self._outcomes(records)
        for record, outcomes in zip(records, became, strict=True):
            rows = leaving(record, outcomes, self.step.label)
            self.file.add(rows)
            for row in rows:
                self.progress.left(row)
            flow.hand_on(self, [row for row in rows if row.state == "live"])
        self.roots.remove(records)
        self.progress.done += len(records)
        if not self._crowded:
            self._room.set()
        flow.moved()

    async def _outcomes(self, records: list[Record]) -> Sequence[Sequence[Record]]:
        """Return what becomes of each record; what breaks over one becomes that one's drop."""
        try:
            return await self._applied(records)
        except (OutsideError, InputError):
            raise
        except Exception as error:
            if ends_run := fatal(error):
                raise ends_run from error
            if len(records) == 1:
                by = self.step.label
                return [[records[0].drop("error", by=by, reason=reason(error))]]
        return [(await self._outcomes([record]))[0] for record in records]

    async def _applied(self, records: list[Record]) -> Sequence[Sequence[Record]]:
        stage = self.step.stage
        if stage.batch == 1:
            return [await stage.apply(records[0], self._services)]
        became = await stage.apply_batch(records, self._services)
        if len(became) != len(records):
            raise PluginError(
                f"the stage {self.step.label!r} gave {len(became)} outcomes for {len(records)} "
                "records; apply_batch() must return one list for each record, in order"
            )
        return became


async def _finished(file: StageFile) -> None:
    """Finish a file in a thread, to the end: whoever cancels must not take it away meanwhile."""
    finishing = asyncio.ensure_future(asyncio.to_thread(file.finish))
    try:
        await asyncio.shield(finishing)
    except asyncio.CancelledError:
        await asyncio.wait([finishing])
        raise


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
            at_work = earlier.roots.lowest()
            lowest = lowest if at_work is None else min(lowest, at_work)
        return lowest

    async def _feed(self) -> None:
        first = self._lanes[0] if self._lanes else None
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
            await _finished(file)
            progress.finish()
        self._next_root = _NOTHING_MORE
        if first is not None:
            first.inbox.end()
        self.moved()
