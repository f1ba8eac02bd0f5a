"""A model of transformers at work: one thread reads texts, another computes.

The event loop only waits. What a library of its own does inside its threads (a GPU's stream, the
cores of a CPU) it does for one batch at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from synth.engine.base import Prompted, Sampling
from synth.engine.hf_reading import Reading
from synth.engine.hf_weights import Loaded, Wanted, load
from synth.engine.in_batches import InBatches, all_of
from synth.errors import CallFailed, EngineRefused
from synth.record import Message

A = TypeVar("A")
G = TypeVar("G")
T = TypeVar("T")


class Running:
    """A loaded model and its two threads."""

    def __init__(self, loaded: Loaded, reading: Reading, thread: ThreadPoolExecutor) -> None:
        """Take the model, and the thread in which it was loaded."""
        self.loaded = loaded
        self.reading = reading
        """To be used inside `read` alone."""
        self._computes = thread
        self._reads = ThreadPoolExecutor(1, "synth-hf-reads")
        self._jobs: InBatches[Callable[[], Any], Any] = InBatches(self._reads, _done, all_of)
        self._batches: list[InBatches[Any, Any]] = [self._jobs]

    @classmethod
    async def started(
        cls, wanted: Wanted, *, template: str | None, template_options: Mapping[str, Any]
    ) -> Running:
        """Load a model. Raises InputError and EngineRefused as `load` does."""
        thread = ThreadPoolExecutor(1, "synth-hf-computes")
        try:
            loaded = await asyncio.get_running_loop().run_in_executor(thread, load, wanted)
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(loaded, Reading(loaded.tokenizer, template, template_options), thread)

    async def set_up(self, make: Callable[[], T]) -> T:
        """Return what `make` gives, in the thread that computes."""
        return await asyncio.get_running_loop().run_in_executor(self._computes, make)

    def batches(
        self,
        compute: Callable[[Sequence[A]], Sequence[G | Exception]],
        choose: Callable[[Sequence[A]], Sequence[int]],
    ) -> InBatches[A, G]:
        """Return what computes in batches until `close`."""
        made = InBatches(self._computes, compute, choose)
        self._batches.append(made)
        return made

    async def read(self, job: Callable[[], T]) -> T:
        """Return what `job` makes of texts; all jobs that are asked for at once are one batch."""
        return await self._jobs.ask(job)

    async def tokens(self, prompt: Prompted) -> Sequence[int]:
        """Return the token ids of a prompt, a conversation as a whole one that nobody goes on."""
        return await self.read(lambda: self.reading.tokens(self.reading.raw(prompt, Sampling())))

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
        """Cancel what waits, and end both threads when what they are at is done."""
        for made in self._batches:
            await made.close()
        for thread in (self._reads, self._computes):
            await asyncio.to_thread(thread.shutdown)


def not_running(name: str) -> EngineRefused:
    """Return the error of an engine that is asked before `start` or after `close`."""
    return EngineRefused(f"the engine {name!r} was asked before it was started, or after")


def _done(jobs: Sequence[Callable[[], Any]]) -> list[Any]:
    return [_attempted(job) for job in jobs]


def _attempted(job: Callable[[], Any]) -> Any:
    try:
        return job()
    except Exception as error:  # noqa: BLE001 (raised again to the one who asked)
        return error
