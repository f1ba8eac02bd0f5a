"""One worker process as the run sees it: started, asked, killed when it hangs, never left over."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Self, cast

from synth.errors import OutsideError, PluginError
from synth.plugins import VerifierSpec
from synth.record import Record
from synth.run.worker import READY, SIZE_BYTES, Answer, Request

_START_S = 60.0
_END_S = 1.0
_BUFFER = 1 << 18
# It finds the same modules as this process, and none that just lie in the working directory.
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from synth.run.worker import main; main()"
)
# There is a worker for each core: more threads in each only get into each other's way.
_THREADS_OF_BLAS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may use."""

    timeout_s: float = 60.0
    """Longest time for one record, in seconds; a batch that takes longer is halved."""
    memory_mb: int = 2048
    """What a worker may allocate, in MiB."""


class BrokenError(Exception):
    """A worker died or hung over a batch; its message is the reason, as `code: sentence`."""


class _Sweeping(asyncio.subprocess.SubprocessStreamProtocol):
    """Ends what a process forked when the process has ended: that would hold its pipes open."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._group = cast("asyncio.SubprocessTransport", transport).get_pid()

    def process_exited(self) -> None:
        super().process_exited()
        self.end_group()

    def end_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._group, signal.SIGKILL)


class WorkerProcess:
    """A process in which verifiers judge."""

    def __init__(
        self, transport: asyncio.SubprocessTransport, sweeping: _Sweeping, limits: Limits
    ) -> None:
        loop = asyncio.get_running_loop()
        self._process = asyncio.subprocess.Process(transport, sweeping, loop)
        self._transport = transport
        self._sweeping = sweeping
        self._limits = limits
        self._loaded: set[VerifierSpec] = set()
        self._ended = asyncio.create_task(self._process.wait())

    @classmethod
    async def start(cls, limits: Limits) -> Self:
        """Start one and wait until it can be asked. Raises OutsideError."""
        loop = asyncio.get_running_loop()
        try:
            transport, sweeping = await loop.subprocess_exec(
                lambda: _Sweeping(limit=_BUFFER, loop=loop),
                *(sys.executable, "-P", "-c", _BOOT, str(limits.memory_mb), json.dumps(sys.path)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=None,
                env={**dict.fromkeys(_THREADS_OF_BLAS, "1"), **os.environ},
                # Its own session: Ctrl-C on the terminal is the run's business, not the workers'.
                start_new_session=True,
            )
        except OSError as error:
            raise OutsideError(
                f"could not start a worker process for verifiers: {error}"
            ) from error
        worker = cls(transport, sweeping, limits)
        await worker._wait_until_ready()
        return worker

    async def _wait_until_ready(self) -> None:
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(_START_S):
                await self._process.stdout.readexactly(len(READY))
        except (TimeoutError, asyncio.IncompleteReadError):
            await self.close()
            raise OutsideError(
                f"a worker process for verifiers could not start: it {self._ending()}. "
                "What it said stands above"
            ) from None
        except BaseException:
            await self.kill()
            raise

    @property
    def alive(self) -> bool:
        """Whether it has not ended by itself meanwhile."""
        return self._process.returncode is None

    async def judge(self, spec: VerifierSpec, records: Sequence[Record]) -> Answer:
        """Return its answer for records that are judged within `timeout_s`.

        Raises BrokenError when it died or hung (it is killed then), PluginError when it cannot
        make the verifier: that is no record's fault.
        """
        if spec not in self._loaded:
            await self._load(spec)
        return await self._ask(Request(spec, records), self._limits.timeout_s)

    async def _load(self, spec: VerifierSpec) -> None:
        try:
            error = (await self._ask(Request(spec, ()), _START_S)).error
        except BrokenError as broken:
            error = str(broken)
        if error:
            await self.kill()
            raise PluginError(
                f"the verifier {spec.name!r} cannot be made in a worker process: {error}. Such a "
                f"process may allocate {self._limits.memory_mb} MiB (`memory_mb` of the stage)"
            )
        self._loaded.add(spec)

    async def _ask(self, request: Request, timeout_s: float) -> Answer:
        try:
            async with asyncio.timeout(timeout_s):
                return await self._exchange(request)
        except TimeoutError:
            await self.kill()
            raise BrokenError(f"timeout: not judged within {timeout_s:g} s") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            await self.close()
            raise BrokenError(f"crash: the worker process {self._ending()}") from None
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
        """End it and all that it forked, at once."""
        if self.alive:
            self._sweeping.end_group()
        # `wait`, since it does not cancel what it waits for.
        await asyncio.wait([self._ended], timeout=_END_S)
        # A child in a session of its own may still hold the pipes.
        self._transport.close()
        await asyncio.wait([self._ended])

    async def close(self) -> None:
        """Let it end by itself: its input ends."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await asyncio.wait([self._ended], timeout=_END_S)
        await self.kill()
