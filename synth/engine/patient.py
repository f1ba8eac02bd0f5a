"""An engine that waits: calls take turns, and try again while the world is in trouble.

An outage is never a drop. A call is given up only when its failures may be its own fault *and* the
engine demonstrably answers others; when nobody is answered for long enough, the whole run stops. A
call keeps its slot while it waits, so a server in trouble is asked by fewer, not by others instead;
while nobody gets through at all, a handful of calls probe and the rest wait for them.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from synth.engine.base import (
    Asks,
    Chat,
    Completion,
    EngineIdentity,
    Origin,
    Prompted,
    Sampling,
    Text,
    TokenLogprobs,
)
from synth.errors import CallFailed, EngineDown, Outage
from synth.record import Message

T = TypeVar("T")
Ask = Callable[[], Awaitable[T]]

_PROBES = 4
_HELLO = Text("Hello")
_HELLO_CHAT = Chat((Message(role="user", content="Hello"),))
_ONE_TOKEN = Sampling(max_tokens=1)
_CANARY = Origin("", "patient", "canary")


@dataclass(slots=True)
class _Tries:
    """The failures of one call so far."""

    last_at: float
    """When the last failure was; before the first, when the call began."""
    failed: int = 0
    """All of them: the wait grows with it."""
    blamed: int = 0
    """Those that may be its own fault."""
    probing: bool = False
    """Whether it holds one of the few tickets to try again while nobody gets through."""


class PatientEngine:
    """`engine`, asked by at most `at_once` calls at a time, each with patience.

    After its first failure a call waits `first_wait_s`, twice as long after each further one, at
    most `longest_wait_s`, up to half of it taken off at random, on top of what the server asked
    for.

    `tries` failures that blame the call (see Outage) make it a CallFailed if another call got
    through after the last but one. If none did, a canary decides: one tiny request of the same
    kind. When nobody was answered for `give_up_after_s` since the first of an unbroken row of
    failures: EngineDown.
    """

    def __init__(
        self,
        engine: Asks,
        *,
        at_once: int = 256,
        tries: int = 5,
        give_up_after_s: float = 600.0,
        first_wait_s: float = 0.5,
        longest_wait_s: float = 15.0,
    ) -> None:
        self.in_flight = 0
        """Requests that are out now; those that wait for their next try are not."""
        self.waiting_since: float | None = None
        """`time.monotonic()` of the first failure that no success followed; None if all is well."""
        self.last_failure = ""
        """What it said."""
        self.prompt_tokens = 0
        """Of finished calls."""
        self.completion_tokens = 0
        """Of finished calls."""
        self._engine = engine
        self._tries_allowed = tries
        self._give_up_after_s = give_up_after_s
        self._first_wait_s = first_wait_s
        self._longest_wait_s = longest_wait_s
        self._slots = asyncio.Semaphore(at_once)
        self._probes = asyncio.Semaphore(_PROBES)
        self._succeeded_at = 0.0
        self._stopped = asyncio.Event()
        self._idle = asyncio.Event()
        self._random = random.Random()  # noqa: S311 (jitter, not secrets)

    @property
    def identity(self) -> EngineIdentity:
        """What changes replies: patience does not."""
        return self._engine.identity

    async def complete(self, prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        """Return one completion. Raises CallFailed if it is given up, EngineDown if all are."""
        canary = _HELLO_CHAT if isinstance(prompt, Chat) else _HELLO
        completion = await self._ask(
            lambda: self._engine.complete(prompt, sampling, origin),
            lambda: self._engine.complete(canary, _ONE_TOKEN, _CANARY),
        )
        self.prompt_tokens += completion.usage.prompt_tokens
        self.completion_tokens += completion.usage.completion_tokens
        return completion

    async def logprobs(
        self, prompt: Prompted, continuation: str, origin: Origin, *, cut_at: int | None = None
    ) -> TokenLogprobs:
        """Return log-probabilities, as patient as `complete`."""
        return await self._ask(
            lambda: self._engine.logprobs(prompt, continuation, origin, cut_at=cut_at),
            lambda: self._engine.logprobs(_HELLO, " there", _CANARY),
        )

    async def classify(self, prompt: Prompted, origin: Origin) -> tuple[float, ...]:
        """Return what the classification head says, as patient as `complete`."""
        return await self._ask(
            lambda: self._engine.classify(prompt, origin),
            lambda: self._engine.classify(_HELLO, _CANARY),
        )

    async def embed(self, texts: Sequence[str], origin: Origin) -> list[list[float]]:
        """Return vectors, as patient as `complete`."""
        return await self._ask(
            lambda: self._engine.embed(texts, origin),
            lambda: self._engine.embed(["Hello"], _CANARY),
        )

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as the chat template writes them, as patient as `complete`."""
        return await self._ask(
            lambda: self._engine.chat_text(messages, reply_next=reply_next),
            lambda: self._engine.chat_text(_HELLO_CHAT.messages, reply_next=reply_next),
        )

    def stop(self) -> None:
        """Begin no more requests; calls that are not out are cancelled when the last one is back.

        So whoever asks several things at once has what was paid for before anything is cancelled.
        """
        self._stopped.set()
        if not self.in_flight:
            self._idle.set()

    async def _ask(self, ask: Ask[T], canary: Ask[object]) -> T:
        async with self._slots:
            began = time.monotonic()
            try:
                return await self._try(ask)
            except Outage as outage:
                failure = outage
            tries = _Tries(began)
            try:
                return await self._insist(ask, canary, failure, tries)
            finally:
                self._stop_probing(tries)

    async def _try(self, ask: Ask[T]) -> T:
        if self._stopped.is_set():
            await self._idle.wait()
            raise asyncio.CancelledError
        self.in_flight += 1
        try:
            answer = await ask()
        finally:
            self.in_flight -= 1
            if self._stopped.is_set() and not self.in_flight:
                self._idle.set()
        self._succeeded_at = time.monotonic()
        self.waiting_since = None
        return answer

    async def _insist(self, ask: Ask[T], canary: Ask[object], failure: Outage, tries: _Tries) -> T:
        while True:
            await self._judge(failure, tries, canary)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), self._wait_s(failure, tries))
            await self._turn(tries)
            try:
                return await self._try(ask)
            except Outage as again:
                failure = again

    async def _judge(self, failure: Outage, tries: _Tries, canary: Ask[object]) -> None:
        """Raise what this failure leads to: CallFailed, EngineDown, or nothing yet."""
        now = time.monotonic()
        self.waiting_since = self.waiting_since or now
        self.last_failure = str(failure)
        tries.failed += 1
        tries.blamed += failure.blames_call
        used_up = tries.blamed >= self._tries_allowed
        if failure.blames_call and (used_up or self._overdue):
            others_got_through = self._succeeded_at > tries.last_at and not self._overdue
            answers = others_got_through or await self._answers(canary)
            if answers and used_up:
                message = f"{failure} (tried {tries.blamed} times while other calls got through)"
                raise CallFailed(message) from failure
            # Without an answer to the canary those failures were the outage's, not the call's.
            tries.blamed = tries.blamed if answers else 0
        if self._overdue:
            raise self._down()
        tries.last_at = now

    @property
    def _overdue(self) -> bool:
        since = self.waiting_since
        return since is not None and time.monotonic() - since >= self._give_up_after_s

    def _down(self) -> EngineDown:
        waited_s = time.monotonic() - (self.waiting_since or 0.0)
        who = f"{self.identity.kind} ({self.identity.model!r})"
        return EngineDown(
            f"the engine {who} answered nobody for {waited_s:.0f} s; the last failure was "
            f"{self.last_failure!r}. Run the same command again and it goes on"
        )

    async def _answers(self, canary: Ask[object]) -> bool:
        """Return whether a tiny request gets an answer, be it a refusal."""
        try:
            await self._try(canary)
        except Outage:
            return False
        except CallFailed:
            self.waiting_since = None
        return True

    def _wait_s(self, failure: Outage, tries: _Tries) -> float:
        grown = min(self._longest_wait_s, self._first_wait_s * 2.0 ** min(tries.failed - 1, 30))
        # A quota that comes back tomorrow must not keep the run from stopping today.
        asked = min(failure.retry_after_s, self._give_up_after_s)
        return asked + grown * self._random.uniform(0.5, 1.0)

    async def _turn(self, tries: _Tries) -> None:
        """Wait until this call may try again: at once if others get through, or as one of a few."""
        if self.waiting_since is not None and not tries.probing:
            await self._probes.acquire()
            tries.probing = True
            if self._overdue:
                raise self._down()
        if self.waiting_since is None:
            self._stop_probing(tries)

    def _stop_probing(self, tries: _Tries) -> None:
        if tries.probing:
            tries.probing = False
            self._probes.release()
