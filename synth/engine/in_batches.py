"""Calls that are in flight together, computed together in threads.

Whoever asks waits for a future. As long as anything waits, one task a thread picks what fits
together and has it computed, so a batch takes what has come while the one before was at work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

A = TypeVar("A")
G = TypeVar("G")


class InBatches(Generic[A, G]):
    """`compute` in threads, asked for one at a time. Belongs to one event loop."""

    def __init__(
        self,
        threads: ThreadPoolExecutor,
        compute: Callable[[Sequence[A]], Sequence[G | Exception]],
        choose: Callable[[Sequence[A]], Sequence[int]],
        *,
        at_once: int = 1,
    ) -> None:
        """Take what computes a batch, and what picks one by places among all that wait.

        Those that wait are in the order in which they were asked. An exception among what `compute`
        returns is raised to whoever asked for that one, one that it raises to all of the batch.
        """
        self._threads = threads
        self._compute = compute
        self._choose = choose
        self._waiting: dict[asyncio.Future[G], A] = {}
        self._at_once = at_once
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, one: A) -> G:
        """Return what is computed for `one`."""
        future: asyncio.Future[G] = asyncio.get_running_loop().create_future()
        self._waiting[future] = one
        if len(self._tasks) < self._at_once:
            self._tasks.add(asyncio.create_task(self._work()))
        try:
            return await future
        finally:
            self._waiting.pop(future, None)

    async def close(self) -> None:
        """Cancel all that wait; what is being computed ends first."""
        for future in list(self._waiting):
            future.cancel()
        await asyncio.gather(*self._tasks)

    async def _work(self) -> None:
        while self._waiting:
            waiting = list(self._waiting.items())
            batch = [waiting[place] for place in self._choose([one for _, one in waiting])]
            for future, _ in batch:
                del self._waiting[future]
            await self._give(batch)
            # Those who got something may ask for more: it shall be in the next batch.
            await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.discard(task)

    async def _give(self, batch: Sequence[tuple[asyncio.Future[G], A]]) -> None:
        loop = asyncio.get_running_loop()
        asked = [one for _, one in batch]
        given: Sequence[G | Exception]
        try:
            given = await loop.run_in_executor(self._threads, self._compute, asked)
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
