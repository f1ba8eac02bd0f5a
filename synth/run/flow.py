"""Records streaming through stages: every stage at work at once, each record on its own way.

A *lane* is one stage at work: an inbox, the stage, a file for what leaves it. Records move in the order in
which they are finished. A lane that depends on order gets them by position, as soon as nothing earlier can
still come; to know that, the lanes before it note which seeds they still work on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from synth.errors import InputError, OutsideError, PluginError
from synth.record import Record
from synth.run.channel import Channel, Reordered, Roots
from synth.run.plan import Step
from synth.run.progress import StageProgress
from synth.services import Services
from synth.store.stage_file import StageFile

_FEED = 256
_GATHER_S = 0.05


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

    def stop(self) -> None:
        """Begin nothing new."""
        self.stopping = True
        self.inbox.wake()

    async def run(self, flow: Flow) -> None:
        """Work until the inbox has ended, then finish the file."""
        if self.in_order:
            await self._run_in_order(flow)
        else:
            await self._run_free(flow)
        if self.stopping:
            return
        await asyncio.to_thread(self.file.finish)
        self.progress.finish()
        flow.ended(self)

    async def _run_free(self, flow: Flow) -> None:
        slots = asyncio.Semaphore(self._at_once)
        batch = self.step.stage.batch
        async with asyncio.TaskGroup() as tasks:
            while not (self.inbox.ended or self.stopping):
                await slots.acquire()
                if batch > 1 and len(self.inbox) < batch:
                    await asyncio.sleep(_GATHER_S)
                if records := await self.inbox.get(batch):
                    task = tasks.create_task(self._work(records, flow))
                    task.add_done_callback(lambda _: slots.release())
                else:
                    slots.release()

    async def _run_in_order(self, flow: Flow) -> None:
        waiting = Reordered(self._folder, lambda: flow.settled_before(self))
        while not (self.stopping or (self.inbox.ended and not len(waiting))):
            waiting.add(await self.inbox.get(_FEED))
            if not self.inbox.empty:
                continue
            while not self.stopping and (batch := waiting.take(self.step.stage.batch)):
                await self._work(batch, flow)

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
        flow.moved()

    async def _outcomes(self, records: list[Record]) -> Sequence[Sequence[Record]]:
        """Return what becomes of each record; what breaks over one becomes that one's drop."""
        stage = self.step.stage
        try:
            if stage.batch == 1:
                return [await stage.apply(records[0], self._services)]
            became = await stage.apply_batch(records, self._services)
            if len(became) == len(records):
                return became
            error: Exception = PluginError(f"{len(became)} outcomes for {len(records)} records")
        except (OutsideError, InputError):
            raise
        except Exception as raised:  # noqa: BLE001 (the one boundary: a bad record is data, not a crash)
            error = raised
        if len(records) == 1:
            reason = _reason(error)
            return [[records[0].drop("error", by=self.step.label, reason=reason)]]
        return [(await self._outcomes([record]))[0] for record in records]


def _reason(error: Exception) -> str:
    """Return the error as `code: sentence`; errors that bring a code of their own keep it."""
    said = str(error)
    code, colon, _ = said.partition(":")
    if colon and code.replace("_", "").isalnum() and code.islower():
        return said
    return f"exception: {type(error).__name__}: {said}"


def leaving(record: Record, outcomes: Sequence[Record], label: str) -> list[Record]:
    """Return the rows of what became of a record: itself, or its children behind it as their parent.

    Raises PluginError if the record just vanished, or if something came from nowhere.
    """
    if not outcomes:
        raise PluginError(
            f"the stage {label!r} let record {record.id} vanish; it must return the record, "
            "its children, or its drop"
        )
    ids = [outcome.id for outcome in outcomes]
    if len(set(ids)) < len(ids):
        raise PluginError(f"the stage {label!r} made two records with one id from {record.id}")
    for outcome in outcomes:
        if outcome.id != record.id and record.id not in outcome.parents:
            raise PluginError(
                f"the stage {label!r} returned {outcome.id} for record {record.id}, which is not "
                "among its parents; make children with record.child()"
            )
    if record.id in ids:
        return list(outcomes)
    return [record.as_parent(), *outcomes]


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
        self._after = {id(lane): following for lane, following in zip(lanes, lanes[1:], strict=False)}
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
            raise _first(group) from None

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
            following.inbox.close()

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
                await first.inbox.room()
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
            await asyncio.to_thread(file.finish)
            progress.finish()
        self._next_root = int(1e18)
        if first is not None:
            first.inbox.close()
        self.moved()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error to show: ours before anything else, the first one given."""
    flat: list[BaseException] = []
    for error in group.exceptions:
        flat.append(_first(error) if isinstance(error, BaseExceptionGroup) else error)
    flat.sort(key=lambda error: not isinstance(error, OutsideError | InputError))
    return flat[0]
