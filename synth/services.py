"""What a stage or a model verifier may ask for: engines, randomness, costly things set up once.

One object a stage label. It is the only door to the outside: a stage never opens a connection
itself.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, Protocol, TypeVar

from synth.engine.base import Asks, Completion, Origin, Prompted, Sampling, TokenLogprobs
from synth.prompt import Prompt
from synth.record import Record, Verdict, digest

T = TypeVar("T")


class JudgesRecords(Protocol):
    """Whoever can have a verifier judge records: the run's worker processes."""

    async def __call__(
        self, use: Any, records: Sequence[Record], services: Services
    ) -> list[Verdict]:
        """Return one verdict for each record; a verifier that breaks gives verdicts `error`.

        `use` is a `synth.stages.verify.Use`.
        """
        ...

    async def close(self) -> None:
        """Let go of what judging took; may be called again."""
        ...


class Resources:
    """Costly things that a run sets up once and shares: a classifier, an index, a tokenizer."""

    def __init__(self) -> None:
        self._made: dict[str, asyncio.Future[Any]] = {}

    async def get(self, key: str, factory: Callable[[], T | Awaitable[T]]) -> T:
        """Return what `factory` made for `key`, in a thread; later callers wait for the first.

        What could not be made is forgotten: the next caller tries again.
        """
        if key not in self._made or _failed(self._made[key]):
            self._made[key] = asyncio.ensure_future(self._make(factory))
        return await asyncio.shield(self._made[key])

    @staticmethod
    async def _make(factory: Callable[[], Any]) -> Any:
        made = await asyncio.to_thread(factory)
        return await made if inspect.isawaitable(made) else made


def _failed(made: asyncio.Future[Any]) -> bool:
    return made.done() and (made.cancelled() or made.exception() is not None)


class Services:
    """The services of one stage label."""

    def __init__(
        self,
        label: str,
        *,
        engines: Mapping[str, Asks],
        prompts: Mapping[str, Prompt],
        judge: JudgesRecords,
        resources: Resources,
        run_seed: int = 0,
    ) -> None:
        self.label = label
        self.prompts = prompts
        """The stage's prompts by the name of their option."""
        self.judge = judge
        self._engines = engines
        self._resources = resources
        self._run_seed = run_seed
        self._seed_hash = blake2b(f"{run_seed}|{label}|".encode(), digest_size=8)

    def within(self, label: str) -> Services:
        """Return the services of a part of this stage: calls and random choices are its own."""
        return Services(
            f"{self.label}.{label}",
            engines=self._engines,
            prompts=self.prompts,
            judge=self.judge,
            resources=self._resources,
            run_seed=self._run_seed,
        )

    @property
    def seed(self) -> str:
        """The seed of what is drawn over the whole set: it depends on the run's and the label."""
        return self._seed_hash.hexdigest()

    def engine(self, name: str) -> Asks:
        """Return the engine that the recipe calls `name`, with its cache and its patience."""
        return self._engines[name]

    async def complete(
        self,
        engine: str,
        prompt: Prompted,
        sampling: Sampling,
        record: Record,
        *,
        step: str = "reply",
        sample: int = 0,
    ) -> Completion:
        """Return one completion, durable before it is returned.

        Its seed is derived from the origin.
        """
        seeded = sampling.seeded(self._seed(record, step, sample))
        return await self._engines[engine].complete(
            prompt, seeded, self.origin(record, step, sample)
        )

    async def logprobs(
        self,
        engine: str,
        prompt: Prompted,
        continuation: str,
        record: Record,
        *,
        step: str = "score",
        cut_at: int | None = None,
    ) -> TokenLogprobs:
        """Return the log-probabilities of `continuation` after `prompt`, durable by then.

        With `cut_at` the text, prompt included, is read up to that many tokens.
        """
        origin = self.origin(record, step, 0)
        return await self._engines[engine].logprobs(prompt, continuation, origin, cut_at=cut_at)

    async def classify(
        self, engine: str, prompt: Prompted, record: Record, *, step: str = "score"
    ) -> tuple[float, ...]:
        """Return what the engine's classification head says of a text, durable by then."""
        return await self._engines[engine].classify(prompt, self.origin(record, step, 0))

    async def embed(
        self, engine: str, text: str, record: Record, *, step: str = "embed"
    ) -> list[float]:
        """Return the engine's vector for a text, durable by then."""
        [vector] = await self._engines[engine].embed([text], self.origin(record, step, 0))
        return vector

    def origin(self, record: Record, step: str, sample: int) -> Origin:
        """Return the address of one call of this stage."""
        return Origin(record.id, self.label, step, sample, record.position)

    def rng(self, record: Record, *parts: str) -> random.Random:
        """Return a random generator that depends on record, stage label and `parts` alone."""
        return random.Random(digest(str(self._run_seed), record.id, self.label, *parts))  # noqa: S311 (not for secrets)

    async def resource(self, key: str, factory: Callable[[], T | Awaitable[T]]) -> T:
        """Return what `factory` makes, made once a run and shared under `key`."""
        return await self._resources.get(key, factory)

    def _seed(self, record: Record, step: str, sample: int) -> int:
        hashed = self._seed_hash.copy()
        hashed.update(f"{record.id}|{step}|{sample}".encode())
        return int.from_bytes(hashed.digest()[:4], "big") >> 1
