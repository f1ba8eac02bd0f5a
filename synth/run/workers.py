"""Worker processes for CPU verifiers: under limits, started when needed, replaced when they break.

A batch that raises, hangs or kills its worker is halved until the one record is found that does it;
that record's verdict is `error`, and all others keep theirs.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from synth.errors import PluginError
from synth.plugins import VerifierSpec
from synth.record import Record, Verdict
from synth.run.process import BrokenError, Limits, WorkerProcess
from synth.run.worker import Answer

_BATCH_SECONDS = 0.25
_PATIENCE_S = 0.5
_FORGOTTEN = 0.5
"""Seconds of waiting that are forgotten in a second in which nobody waits."""
_FIRST_BATCH = 16
_LARGEST_BATCH = 256


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict and the seconds it took."""

    verdict: Verdict
    seconds: float = 0.0


Keep = Callable[[int, Sequence[Judged]], Awaitable[None]]
"""Takes the place of a first record, and verdicts from there on."""


@dataclass(slots=True)
class _Pace:
    """How many records of a verifier make a batch of about a quarter of a second."""

    size: int = _FIRST_BATCH

    def note(self, records: int, seconds: float) -> None:
        fitting = int(_BATCH_SECONDS * records / max(seconds, 1e-6))
        self.size = max(1, min(_LARGEST_BATCH, fitting, self.size * 2))


@dataclass(slots=True)
class Patience:
    """How long one may still wait for a worker: until it has been half a second, of late, in all.

    One long wait and many short ones mean the same: that there are too few workers. Times are those
    of a clock that never goes back, in seconds.
    """

    waited_s: float = 0.0
    _until: float = 0.0
    """When somebody last began or ended waiting."""

    def left(self, *, now: float, came: float) -> float:
        """Return the seconds that one who came at `came` may still wait, not below 0."""
        forgotten = _FORGOTTEN * (now - self._until)
        self.waited_s, self._until = max(0.0, self.waited_s - forgotten), now
        return max(0.0, _PATIENCE_S - max(self.waited_s, now - came))

    def note(self, now: float) -> None:
        """Count what has passed since it was asked what is left."""
        self.waited_s += now - self._until
        self._until = now

    def renew(self) -> None:
        """Begin anew: another worker is being started."""
        self.waited_s = 0.0


class Workers:
    """A pool of at most `count` workers with the same limits; any of them judges any record."""

    def __init__(self, count: int, limits: Limits) -> None:
        self._limits = limits
        self._slots = asyncio.Semaphore(count)
        self._idle: list[WorkerProcess] = []
        self._busy = 0
        self._given_back = asyncio.Event()
        self._patience = Patience()
        self._first_in_line = asyncio.Lock()
        self._paces: dict[VerifierSpec, _Pace] = {}

    async def judge(
        self, spec: VerifierSpec, records: Sequence[Record], keep: Keep | None = None
    ) -> list[Judged]:
        """Return a verdict for each record, `error` for each that the verifier breaks over.

        `keep` is given each part as soon as it is judged, with the place of its first record.
        Raises PluginError if it cannot be made in a worker, OutsideError if no worker starts.
        """
        size = self._paces.setdefault(spec, _Pace()).size

        async def part(start: int) -> list[Judged]:
            judged = await self._judge(spec, records[start : start + size])
            if keep is not None:
                await keep(start, judged)
            return judged

        async with asyncio.TaskGroup() as tasks:
            parts = [tasks.create_task(part(start)) for start in range(0, len(records), size)]
        return [verdict for part in parts for verdict in part.result()]

    async def _judge(self, spec: VerifierSpec, records: Sequence[Record]) -> list[Judged]:
        try:
            answer = await self._ask(spec, records)
        except BrokenError as broken:
            answer = Answer(error=str(broken))
        if not answer.error:
            self._paces[spec].note(len(records), answer.seconds)
            return _each(answer)
        if len(records) == 1:
            return [Judged(Verdict("error", answer.error))]
        middle = len(records) // 2
        first = await self._judge(spec, records[:middle])
        return first + await self._judge(spec, records[middle:])

    async def _ask(self, spec: VerifierSpec, records: Sequence[Record]) -> Answer:
        async with self._slots:
            worker = await self._free()
            self._busy += 1
            try:
                worker = worker or await WorkerProcess.start(self._limits)
                answer = await worker.judge(spec, records)
                self._idle.append(worker)
            finally:
                self._busy -= 1
                self._given_back.set()
            return answer

    async def _free(self) -> WorkerProcess | None:
        """Return an idle worker; None, to start one, if they were too busy of late."""
        clock = asyncio.get_running_loop().time
        came = clock()
        # One waits, the others behind it: so each second counts once.
        async with self._first_in_line:
            left = self._patience.left(now=clock(), came=came)
            with suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._one_idle()
            self._patience.note(clock())
            self._idle = [worker for worker in self._idle if worker.alive]
            if self._idle:
                return self._idle.pop()
            self._patience.renew()
            return None

    async def _one_idle(self) -> None:
        while self._busy and not self._idle:
            self._given_back.clear()
            await self._given_back.wait()

    async def close(self) -> None:
        """End all workers."""
        async with asyncio.TaskGroup() as tasks:
            for worker in self._idle:
                tasks.create_task(worker.close())
        self._idle.clear()


def _each(answer: Answer) -> list[Judged]:
    seconds = answer.seconds / max(len(answer.verdicts), 1)
    return [Judged(verdict, seconds) for verdict in answer.verdicts]


class _History:
    """The batches that a verifier with state judged, on disk: a new worker judges them again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None

    def append(self, records: Sequence[Record]) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 (see `close`)
        # Reading may have stopped half-way.
        self._file.seek(0, os.SEEK_END)
        pickle.dump(records, self._file, protocol=pickle.HIGHEST_PROTOCOL)

    def batches(self) -> Iterator[Sequence[Record]]:
        if self._file is None:
            return
        self._file.seek(0)
        with suppress(EOFError):
            while True:
                yield pickle.load(self._file)  # noqa: S301 (ours)

    def close(self) -> None:
        if self._file is not None:
            # Closing writes what is buffered: on a full disk that fails, and nobody needs it.
            with suppress(OSError):
                self._file.close()


class OrderedWorker:
    """One worker for one verifier that keeps state: batch after batch, in order.

    After a failure its state cannot be trusted: a new worker first judges again all that was judged
    well, from a nameless file in `folder`.
    """

    def __init__(self, spec: VerifierSpec, limits: Limits, folder: Path) -> None:
        self._spec = spec
        self._limits = limits
        self._worker: WorkerProcess | None = None
        self._history = _History(folder)

    async def judge(self, records: Sequence[Record]) -> list[Judged]:
        """Return a verdict for each record, `error` for each that the verifier breaks over.

        Raises PluginError if a new worker cannot be brought to the same state.
        """
        try:
            answer = await self._ask(records)
        except BrokenError as broken:
            answer = Answer(error=str(broken))
        if not answer.error:
            self._history.append(records)
            return _each(answer)
        await self.close_worker()
        if len(records) == 1:
            return [Judged(Verdict("error", answer.error))]
        middle = len(records) // 2
        first = await self.judge(records[:middle])
        return first + await self.judge(records[middle:])

    async def _ask(self, records: Sequence[Record]) -> Answer:
        if self._worker is None or not self._worker.alive:
            self._worker = await WorkerProcess.start(self._limits)
            await self._catch_up(self._worker)
        return await self._worker.judge(self._spec, records)

    async def _catch_up(self, worker: WorkerProcess) -> None:
        for earlier in self._history.batches():
            try:
                error = (await worker.judge(self._spec, earlier)).error
            except BrokenError as broken:
                error = str(broken)
            if error:
                raise PluginError(
                    f"the verifier {self._spec.name!r} broke, and then once more over records that "
                    f"it had judged well before ({error}): its state is lost. Run again; if it "
                    "stays so, raise `timeout_s` or `memory_mb` of the stage"
                )

    async def close_worker(self) -> None:
        """End the worker; the next batch starts another."""
        if self._worker is not None:
            await self._worker.kill()
            self._worker = None

    async def close(self) -> None:
        """End the worker and forget what it judged."""
        if self._worker is not None:
            await self._worker.close()
        self._history.close()


def default_count() -> int:
    """Return how many workers fit this machine: one a core that the process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
