"""Worker processes for CPU verifiers: under limits, started when needed, replaced when they break.

A batch that raises, hangs or kills its worker is halved until the one record is found that does it; that
record's verdict is `error`, and all others keep theirs.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

from synth.errors import OutsideError
from synth.plugins import VerifierSpec
from synth.record import Record, Verdict
from synth.run.worker import READY, SIZE_BYTES, Answer, Request

_BATCH_SECONDS = 0.25
_FIRST_BATCH = 16
_LARGEST_BATCH = 256
_START_S = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may use."""

    timeout_s: float = 60.0
    """Longest time for one record, in seconds; a batch that takes longer is halved."""
    memory_mb: int = 2048
    """What a worker may allocate, in MiB."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict and the seconds it took."""

    verdict: Verdict
    seconds: float = 0.0


class _Worker:
    """One process. `ask` returns its answer, or raises _Broken when it died or hung."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, limits: Limits) -> Self:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "synth.run.worker",
            str(limits.memory_mb),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            # Its own session: Ctrl-C on the terminal is the run's business, not the workers'.
            start_new_session=True,
        )
        worker = cls(process)
        await worker._wait_until_ready()
        return worker

    async def _wait_until_ready(self) -> None:
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_START_S):
                await self._process.stdout.readexactly(len(READY))
        except (TimeoutError, asyncio.IncompleteReadError):
            await self.kill()
            raise OutsideError(
                f"a worker process for verifiers could not start: it {self._ending()}. "
                "What it said stands above"
            ) from None

    async def ask(self, request: Request, timeout_s: float) -> Answer:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(request)
        except TimeoutError:
            await self.kill()
            raise _BrokenError(f"timeout: not judged within {timeout_s:g} s") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            await self.kill()
            raise _BrokenError(f"crash: the worker process {self._ending()}") from None
        except BaseException:
            await self.kill()
            raise

    async def _exchange(self, request: Request) -> Answer:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        sent = pickle.dumps(request, protocol=pickle.HIGHEST_PROTOCOL)
        stdin.write(len(sent).to_bytes(SIZE_BYTES, "big") + sent)
        await stdin.drain()
        size = int.from_bytes(await stdout.readexactly(SIZE_BYTES), "big")
        return pickle.loads(await stdout.readexactly(size))  # noqa: S301 (our own process)

    def _ending(self) -> str:
        code = self._process.returncode
        if code is None or code >= 0:
            return f"ended with code {code}"
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
        return f"was ended by signal {-code}"

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def close(self) -> None:
        """Let it end by itself: its input ends."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(1.0):
                await self._process.wait()
        except TimeoutError:
            await self.kill()


class _BrokenError(Exception):
    """A worker died or hung over a batch."""


@dataclass(slots=True)
class _Pace:
    """How many records of a verifier make a batch of about a quarter of a second."""

    size: int = _FIRST_BATCH

    def note(self, records: int, seconds: float) -> None:
        fitting = int(_BATCH_SECONDS * records / max(seconds, 1e-6))
        self.size = max(1, min(_LARGEST_BATCH, fitting, self.size * 2))


class Workers:
    """A pool of at most `count` workers with the same limits; any of them judges any record."""

    def __init__(self, count: int, limits: Limits) -> None:
        self._limits = limits
        self._slots = asyncio.Semaphore(count)
        self._idle: list[_Worker] = []
        self._paces: dict[VerifierSpec, _Pace] = {}

    async def judge(self, spec: VerifierSpec, records: Sequence[Record]) -> list[Judged]:
        """Return a verdict for each record; never raises for what a verifier does."""
        size = self._paces.setdefault(spec, _Pace()).size
        batches = [records[start : start + size] for start in range(0, len(records), size)]
        judged = await asyncio.gather(*(self._judge(spec, batch) for batch in batches))
        return [verdict for batch in judged for verdict in batch]

    async def _judge(self, spec: VerifierSpec, records: Sequence[Record]) -> list[Judged]:
        try:
            answer = await self._ask(Request(spec, records))
        except _BrokenError as broken:
            answer = Answer(error=str(broken))
        if not answer.error:
            self._paces[spec].note(len(records), answer.seconds)
            each = answer.seconds / max(len(records), 1)
            return [Judged(verdict, each) for verdict in answer.verdicts]
        if len(records) == 1:
            return [Judged(Verdict("error", answer.error))]
        middle = len(records) // 2
        first = await self._judge(spec, records[:middle])
        return first + await self._judge(spec, records[middle:])

    async def _ask(self, request: Request) -> Answer:
        async with self._slots:
            worker = self._idle.pop() if self._idle else await _Worker.start(self._limits)
            answer = await worker.ask(request, self._limits.timeout_s)
            self._idle.append(worker)
            return answer

    async def close(self) -> None:
        """End all workers."""
        await asyncio.gather(*(worker.close() for worker in self._idle))
        self._idle.clear()


@dataclass(slots=True)
class _History:
    """The batches that a verifier with state has judged, on disk, to bring a new worker to the same state."""

    file: tempfile._TemporaryFileWrapper[bytes] = field(default_factory=tempfile.TemporaryFile)

    def append(self, records: Sequence[Record]) -> None:
        pickle.dump(records, self.file, protocol=pickle.HIGHEST_PROTOCOL)

    def batches(self) -> Iterator[Sequence[Record]]:
        self.file.seek(0)
        with suppress(EOFError):
            while True:
                yield pickle.load(self.file)  # noqa: S301 (ours)


class OrderedWorker:
    """One worker for one verifier that keeps state: batch after batch, in order.

    After a failure its state cannot be trusted: a new worker first judges again all that was judged well.
    """

    def __init__(self, spec: VerifierSpec, limits: Limits) -> None:
        self._spec = spec
        self._limits = limits
        self._worker: _Worker | None = None
        self._history = _History()

    async def judge(self, records: Sequence[Record]) -> list[Judged]:
        """Return a verdict for each record; never raises for what a verifier does."""
        try:
            answer = await self._ask(records)
        except _BrokenError as broken:
            answer = Answer(error=str(broken))
        if not answer.error:
            self._history.append(records)
            each = answer.seconds / max(len(records), 1)
            return [Judged(verdict, each) for verdict in answer.verdicts]
        await self._forget()
        if len(records) == 1:
            return [Judged(Verdict("error", answer.error))]
        middle = len(records) // 2
        first = await self.judge(records[:middle])
        return first + await self.judge(records[middle:])

    async def _ask(self, records: Sequence[Record]) -> Answer:
        if self._worker is None:
            self._worker = await _Worker.start(self._limits)
            for earlier in self._history.batches():
                await self._worker.ask(Request(self._spec, earlier), _START_S)
        return await self._worker.ask(Request(self._spec, records), self._limits.timeout_s)

    async def _forget(self) -> None:
        if self._worker is not None:
            await self._worker.kill()
            self._worker = None

    async def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            await self._worker.close()
        self._history.file.close()


def default_count() -> int:
    """Return how many workers fit this machine: one a core that the process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
