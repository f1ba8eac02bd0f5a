"""One stage at work: an inbox, the stage, a file for what leaves it.

Records move on in the order in which they are finished. A lane whose stage depends on order gets
them by position, as soon as nothing earlier can still come; one whose stage sees all waits for all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from synth.errors import InputError, OutsideError, PluginError
from synth.record import JsonObject, Record
from synth.run.boundary import Whole, fatal, leaving, reason, shown
from synth.run.channel import Channel, Reordered, Roots
from synth.run.plan import Step
from synth.run.progress import StageProgress
from synth.services import Services
from synth.stage import Leave
from synth.store.stage_file import StageFile

if TYPE_CHECKING:
    from synth.run.flow import Flow

_TAKEN = 256
_GATHER_S = 0.05
_AHEAD = 2048


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
        given: Path,
    ) -> None:
        self.step = step
        self.file = file
        self.progress = progress
        self.inbox = Channel(given.parent)
        self.roots: Roots | None = None
        """The seeds at work here, if a later lane depends on order."""
        self.stopping = False
        self._services = services
        self._at_once = at_once
        self._at_work = 0
        self._slot = asyncio.Event()
        self._ahead = _AHEAD + at_once * step.stage.batch
        self._room = asyncio.Event()
        self._given = given
        """The file of the stage before, which is whole when the inbox has ended."""
        self._folder = given.parent
        self._next_root: int | None = 0 if step.stage.chooses else None

    def lowest_root(self) -> int | None:
        """Return the lowest number of a seed that is at work here; None if none is."""
        return self._next_root if self.step.stage.chooses else self.roots and self.roots.lowest()

    @property
    def in_order(self) -> bool:
        """Whether its stage must see records by position."""
        return self.step.stage.in_order

    def offer(self, records: Sequence[Record]) -> None:
        """Take records from the lane before; one that chooses reads that lane's file instead."""
        self.progress.offered += len(records)
        if self.step.stage.chooses:
            return
        if self.roots is not None:
            self.roots.add(records)
        self.inbox.put(records)

    async def room(self) -> None:
        """Wait until few records wait here, or for `stop`: a source has no reason to run ahead."""
        while self._crowded and not self.stopping:
            self._room.clear()
            await self._room.wait()

    @property
    def _crowded(self) -> bool:
        if self.step.stage.sees_all or self.step.stage.chooses:
            return False
        return self.progress.offered - self.progress.done >= self._ahead

    def stop(self) -> None:
        """Begin nothing new."""
        self.stopping = True
        self.inbox.wake()
        self._room.set()

    async def run(self, flow: Flow) -> None:
        """Work until the inbox has ended, then finish the file."""
        await self._run_stage(flow)
        if self.stopping:
            return
        # Its workers' memory is needed no more, and writing the file needs some.
        await self._services.judge.close()
        await finished(self.file)
        self.progress.finish()
        flow.ended(self)

    async def _run_stage(self, flow: Flow) -> None:
        if self.step.stage.chooses:
            await self._run_choosing(flow)
        elif self.step.stage.sees_all:
            await self._run_whole(flow)
        elif self.in_order:
            await self._run_in_order(flow)
        else:
            await self._run_free(flow)

    async def _run_whole(self, flow: Flow) -> None:
        """Gather the whole set, then let what becomes of it leave as soon as it is known."""
        records: list[Record] = []
        while not (self.stopping or self.inbox.ended):
            records += await self.inbox.get(_TAKEN)
        if self.stopping:
            return
        records.sort(key=lambda record: (record.position, record.id))
        self.progress.took(len(records))
        whole = Whole(records, self.step.label)
        await self._apply_all(records, lambda rows: self._leave(whole.leaving(rows), flow))
        self._leave(whole.rest(), flow)
        self._done_with(records, flow)

    async def _run_choosing(self, flow: Flow) -> None:
        """Have the stage choose by columns, then let the records leave one by one."""
        while not (self.stopping or self.inbox.ended):
            await self.inbox.news()
        if self.stopping:
            return
        from synth.store.rows import Rows  # it needs DuckDB

        with closing(Rows(self._given)) as rows:
            self.progress.offered = rows.count
            with self._broken_over_all():
                chosen = await self.step.stage.choose(rows, self._services)
            number = 0
            batches = rows.records()
            while not self.stopping and (records := await asyncio.to_thread(next, batches, None)):
                self._next_root = records[0].position[0]
                self.progress.took(len(records))
                left = [self._as_chosen(one, chosen(number + at)) for at, one in enumerate(records)]
                self._leave(left, flow)
                self._done_with(records, flow)
                number += len(records)
        self._next_root = None
        flow.moved()

    def _as_chosen(self, record: Record, became: str | JsonObject) -> Record:
        if not became:
            return record
        if isinstance(became, str):
            return record.drop("filter", by=self.step.label, reason=became)
        return record.adding(became)

    async def _apply_all(self, records: list[Record], leave: Leave) -> None:
        with self._broken_over_all():
            await self.step.stage.apply_all(records, self._services, leave)

    @contextmanager
    def _broken_over_all(self) -> Generator[None]:
        label = self.step.label
        try:
            yield
        except Exception as error:
            ends_run = fatal(error)
            if type(ends_run) is InputError:
                raise InputError(f"the stage {label!r}: {ends_run}") from error
            if ends_run:
                raise ends_run from error
            raise PluginError(
                f"the stage {label!r} broke over the whole set: {reason(shown(error))}"
            ) from error

    async def _run_free(self, flow: Flow) -> None:
        async with asyncio.TaskGroup() as tasks:
            while not (self.inbox.ended or self.stopping):
                await self._a_slot()
                for records in await self._batches():
                    self._at_work += 1
                    tasks.create_task(self._work_freely(records, flow))

    async def _a_slot(self) -> None:
        while self._at_work >= self._at_once:
            self._slot.clear()
            await self._slot.wait()

    async def _work_freely(self, records: list[Record], flow: Flow) -> None:
        try:
            await self._work(records, flow)
        finally:
            self._at_work -= 1
            self._slot.set()

    async def _batches(self) -> list[list[Record]]:
        """Return batches for slots that are free; the first records wait a moment for company."""
        size = self.step.stage.batch
        if size == 1:
            taken = await self.inbox.get(self._at_once - self._at_work)
            return [] if self.stopping else [[record] for record in taken]
        records = await self.inbox.get(size)
        if self.stopping or not records:
            return []
        if len(records) < size and not self.inbox.ended:
            await asyncio.sleep(_GATHER_S)
            records += self.inbox.take(size - len(records))
        return [records]

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
            waiting.add(self.inbox.take(_TAKEN))
            await asyncio.sleep(0)

    async def _work(self, records: list[Record], flow: Flow) -> None:
        self.progress.took(len(records))
        became = await self._outcomes(records)
        for record, outcomes in zip(records, became, strict=True):
            self._leave(leaving(record, outcomes, self.step.label), flow)
        self._done_with(records, flow)

    def _leave(self, rows: Sequence[Record], flow: Flow) -> None:
        self.file.add(rows)
        for row in rows:
            self.progress.left(row)
        flow.hand_on(self, [row for row in rows if row.state == "live"])

    def _done_with(self, records: Sequence[Record], flow: Flow) -> None:
        if self.roots is not None and not self.step.stage.chooses:
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
                return [[records[0].drop("error", by=by, reason=reason(shown(error)))]]
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


async def finished(file: StageFile) -> None:
    """Finish a file in a thread, to the end: whoever cancels must not take it away meanwhile."""
    finishing = asyncio.ensure_future(asyncio.to_thread(file.finish))
    try:
        await asyncio.shield(finishing)
    except asyncio.CancelledError:
        await asyncio.wait([finishing])
        raise
