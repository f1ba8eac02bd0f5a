"""A model of transformers at work: one thread reads texts, others compute; the event loop waits.

On a CPU each thread has a batch of its own. Threads that share one wait for each other after every
step, and if one finds its core busy, all do.
"""

# torch is not installed where types are checked.
# pyright: reportMissingImports=false, reportUnknownMemberType=false

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from synth.engine.hf_reading import Reading
from synth.engine.hf_weights import Loaded, Wanted, load
from synth.engine.in_batches import InBatches, all_of
from synth.errors import CallFailed
from synth.record import Message

_MOST_AT_ONCE = 8
"""Batches on a CPU, each of which has its own numbers in memory."""

A = TypeVar("A")
G = TypeVar("G")
T = TypeVar("T")


class Running:
    """A loaded model and its threads."""

    def __init__(self, loaded: Loaded, reading: Reading) -> None:
        """Take the model, and how texts are read for it."""
        self.loaded = loaded
        self.reading = reading
        """To be used inside `read` alone."""
        self._at_once, threads_each = _split(loaded.device)
        self._computes = ThreadPoolExecutor(
            self._at_once, "synth-hf-computes", initializer=_take_threads, initargs=(threads_each,)
        )
        self._reads = ThreadPoolExecutor(1, "synth-hf-reads")
        self._jobs: InBatches[Callable[[], Any], Any] = InBatches(self._reads, _done, all_of)
        self._batches: list[InBatches[Any, Any]] = [self._jobs]

    @classmethod
    async def started(
        cls, wanted: Wanted, *, template: str | None, template_options: Mapping[str, Any]
    ) -> Running:
        """Load a model. Raises InputError and EngineRefused as `load` does."""
        loaded = await asyncio.to_thread(load, wanted)
        return cls(loaded, Reading(loaded.tokenizer, template, template_options))

    async def set_up(self, make: Callable[[], T]) -> T:
        """Return what `make` gives, in a thread that computes."""
        return await asyncio.get_running_loop().run_in_executor(self._computes, make)

    def batches(
        self,
        compute: Callable[[Sequence[A]], Sequence[G | Exception]],
        choose: Callable[[Sequence[A]], Sequence[int]],
    ) -> InBatches[A, G]:
        """Return what computes in batches until `close`."""
        made = InBatches(self._computes, compute, choose, at_once=self._at_once)
        self._batches.append(made)
        return made

    async def read(self, job: Callable[[], T]) -> T:
        """Return what `job` makes of texts; all jobs that are asked for at once are one batch."""
        return await self._jobs.ask(job)

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as the chat template writes them."""
        written = await self.read(lambda: self.reading.rendered(messages, reply_next=reply_next))
        return str(written.text)

    def want_room(self, tokens: int) -> None:
        """Raise CallFailed if the model cannot read so many tokens."""
        context = self.loaded.context_tokens
        if context is not None and tokens > context:
            raise CallFailed(
                f"prompt_too_long: {tokens} tokens, the model's context holds {context}; "
                "shorten the text or name another model"
            )

    async def close(self) -> None:
        """Cancel what waits, and end the threads when what they are at is done."""
        for made in self._batches:
            await made.close()
        for thread in (self._reads, self._computes):
            await asyncio.to_thread(thread.shutdown)


def budget_of(device: str) -> int:
    """Return how many tokens are well computed at once."""
    return 512 if device == "cpu" else 16384


def _split(device: str) -> tuple[int, int]:
    """Return how many batches are computed at once, and how many threads each may use."""
    if device != "cpu":
        return 1, 1
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    at_once = min(usable or 1, _MOST_AT_ONCE)
    return at_once, max(1, (usable or 1) // at_once)


def _take_threads(number: int) -> None:
    import torch

    torch.set_num_threads(number)


def _done(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    return [_attempted(job) for job in jobs]


def _attempted(job: Callable[[], Any]) -> Any:
    try:
        return job()
    except Exception as error:  # noqa: BLE001 (raised again to the one who asked)
        return error
