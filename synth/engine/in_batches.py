"""Calls that are in flight together, computed together in a thread.

Whoever asks waits for a future. As long as anything waits, one task picks what fits together and
has it computed, so a batch takes what has come while the one before was at work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

A = TypeVar("A")
G = TypeVar("G")


class InBatches(Generic[A, G]):
    """`compute` in `thread`, asked for one at a time. Belongs to one event loop."""

    def __init__(
        self,
        thread: ThreadPoolExecutor,
        compute: Callable[[Sequence[A]], Sequence[G | Exception]],
        choose: Callable[[Sequence[A]], Sequence[int]],
    ) -> None:
        """Take what computes a batch, and what picks one by places among all that wait.

        Those that wait are in the order in which they were asked. An exception among what `compute`
        returns is raised to whoever asked for that one, one that it raises to all of the batch.
        """
        self._thread = thread
        self._compute = compute
        self._choose = choose
        self._waiting: dict[asyncio.Future[G], A] = {}
        self._task: asyncio.Task[None] | None = None

    async def ask(self, one: A) -> G:
        """Return what is computed for `one`."""
        future: asyncio.Future[G] = asyncio.get_running_loop().create_future()
        self._waiting[future] = one
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        try:
            return await future
        finally:
            self._waiting.pop(future, None)

    async def close(self) -> None:
        """Cancel all that wait; what is being computed ends first."""
        for future in list(self._waiting):
            future.cancel()
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        while self._waiting:
            waiting = list(self._waiting.items())
            batch = [waiting[place] for place in self._choose([one for _, one in waiting])]
            for future, _ in batch:
                del self._waiting[future]
            await self._give(batch)
            # Those who got something may ask for more: it shall be in the next batch.
            await asyncio.sleep(0)
        self._task = None

    async def _give(self, batch: Sequence[tuple[asyncio.Future[G], A]]) -> None:
        loop = asyncio.get_running_loop()
        asked = [one for _, one in batch]
        given: Sequence[G | Exception]
        try:
            given = await loop.run_in_executor(self._thread, self._compute, asked)
        except Exception as error:  # noqa: BLE001 (whoever waits must learn of it, whatever it is)
            given = [error] * len(batch)
        for (future, _), result in zip(batch, given, strict=True):
            if future.done():
                continue
            if isinstance(result, Exception):
                future.set_exception(result)
            else:
                future.set_result(result)


def all_of(waiting: Sequence[object]) -> range:
    """Choose everything that waits."""
    return range(len(waiting))
