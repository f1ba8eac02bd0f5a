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
from typing import Self

from synth.errors import OutsideError, PluginError
from synth.plugins import VerifierSpec
from synth.record import Record
from synth.run.worker import READY, SIZE_BYTES, Answer, Request

_START_S = 60.0
_END_S = 1.0
# It finds the same modules as this process, and none that just lie in the working directory.
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from synth.run.worker import main; main()"
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may use."""

    timeout_s: float = 60.0
    """Longest time for one record, in seconds; a batch that takes longer is halved."""
    memory_mb: int = 2048
    """What a worker may allocate, in MiB."""


class BrokenError(Exception):
    """A worker died or hung over a batch; its message is the reason, as `code: sentence`."""


class WorkerProcess:
    """A process in which verifiers judge."""

    def __init__(self, process: asyncio.subprocess.Process, limits: Limits) -> None:
        self._process = process
        self._limits = limits
        self._loaded: set[VerifierSpec] = set()
        self._ended = asyncio.create_task(self._sweep())

    @classmethod
    async def start(cls, limits: Limits) -> Self:
        """Start one and wait until it can be asked. Raises OutsideError."""
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-c", _BOOT, str(limits.memory_mb), json.dumps(sys.path)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                # Its own session: Ctrl-C on the terminal is the run's business, not the workers'.
                start_new_session=True,
            )
        except OSError as error:
            raise OutsideError(
                f"could not start a worker process for verifiers: {error}"
            ) from error
        worker = cls(process, limits)
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
        except BaseException:
            await self.kill()
            raise

    async def _sweep(self) -> None:
        """When the process has ended, end what it forked: that would hold its pipes open."""
        await self._process.wait()
        self._signal_group()

    def _signal_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)

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
            await self.kill()
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
            self._signal_group()
        # Not cancelled with whoever waits here: the sweep has to happen.
        await asyncio.wait([self._ended])

    async def close(self) -> None:
        """Let it end by itself: its input ends."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        await asyncio.wait([self._ended], timeout=_END_S)
        await self.kill()
