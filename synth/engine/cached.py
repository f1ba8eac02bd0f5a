"""An engine whose finished calls are kept: asked again, it answers from the store.

A call is durable before it is returned. Its key is a digest of the engine's identity, the prompt,
the sampling and the call's origin, so the same recipe asks for the same keys whatever the timing,
and two equal requests of different records stay two calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b

import orjson

from synth.engine.base import (
    Asks,
    Completion,
    EngineIdentity,
    Origin,
    Prompted,
    Sampling,
    TokenLogprobs,
)
from synth.record import Message, canonical
from synth.store.calls import Store

_REPLACED = "\ufffd"


@dataclass(slots=True)
class Tally:
    """What an engine gave so far, for the progress display."""

    from_store: int = 0
    """Calls answered from the store."""
    made: int = 0
    """Calls made and kept."""
    completion_tokens: int = 0
    """Of the calls made."""


class CachedEngine:
    """`engine`, with its calls kept in `store`."""

    def __init__(self, engine: Asks, store: Store) -> None:
        self.identity: EngineIdentity = engine.identity
        self.tally = Tally()
        self._engine = engine
        self._store = store
        self._identity_hash = blake2b(self.identity.canonical().encode(), digest_size=16)

    def _key(self, *parts: str) -> bytes:
        hashed = self._identity_hash.copy()
        for part in parts:
            encoded = part.encode()
            hashed.update(b"%d:" % len(encoded))
            hashed.update(encoded)
        return hashed.digest()

    async def complete(self, prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        """Return the kept completion, or ask for one and keep it."""
        asked = prompt.canonical()
        drawn = f"{sampling.unseeded}|{sampling.seed}"
        # The derived seed has 31 bits: in a million equal requests hundreds share one.
        whose = f"{origin.record_id}|{origin.stage}|{origin.step}|{origin.sample}"
        key = self._key("complete", asked, drawn, whose)
        if (kept := self._kept(key)) is not None:
            return Completion.from_json(orjson.loads(kept))
        completion = await self._engine.complete(prompt, sampling, origin)
        self.tally.completion_tokens += completion.usage.completion_tokens
        return await self._keep(key, origin, asked, completion)

    async def logprobs(
        self, prompt: Prompted, continuation: str, origin: Origin, *, cut_at: int | None = None
    ) -> TokenLogprobs:
        """Return the kept log-probabilities, or ask for them and keep them."""
        cut = {} if cut_at is None else {"cut_at": cut_at}
        asked = canonical({"prompt": prompt.canonical(), "continuation": continuation, **cut})
        key = self._key("token_logprobs", asked)
        if (kept := self._kept(key)) is not None:
            values = orjson.loads(orjson.loads(kept)["text"])
            tokens, logprobs = tuple(values["tokens"]), tuple(values["logprobs"])
            return TokenLogprobs(tokens, logprobs, values["before"])
        given = await self._engine.logprobs(prompt, continuation, origin, cut_at=cut_at)
        await self._keep(key, origin, asked, Completion(canonical(asdict(given))))
        return given

    async def classify(self, prompt: Prompted, origin: Origin) -> tuple[float, ...]:
        """Return what the classification head said, or ask it and keep that."""
        asked = prompt.canonical()
        key = self._key("classify", asked)
        if (kept := self._kept(key)) is not None:
            return tuple(orjson.loads(orjson.loads(kept)["text"]))
        given = await self._engine.classify(prompt, origin)
        await self._keep(key, origin, asked, Completion(canonical(given)))
        return given

    async def embed(self, texts: Sequence[str], origin: Origin) -> list[list[float]]:
        """Return the kept vectors, or ask for them and keep them."""
        asked = canonical({"texts": list(texts)})
        key = self._key("embed", asked)
        if (kept := self._kept(key)) is not None:
            return orjson.loads(orjson.loads(kept)["text"])
        vectors = await self._engine.embed(texts, origin)
        await self._keep(key, origin, asked, Completion(canonical(vectors)))
        return vectors

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as the model's chat template writes them; cheap, and not kept."""
        return await self._engine.chat_text(messages, reply_next=reply_next)

    def _kept(self, key: bytes) -> str | None:
        kept = self._store.call(key)
        self.tally.from_store += kept is not None
        return kept

    async def _keep(self, key: bytes, origin: Origin, asked: str, given: Completion) -> Completion:
        """Keep a completion and return it as it is kept: valid UTF-8, whatever the engine gave."""
        usage, kept = given.usage, canonical(given.as_json())
        if _REPLACED in kept:
            given = replace(Completion.from_json(orjson.loads(kept)), seconds=given.seconds)
        await self._store.keep_call(
            (
                key,
                self.identity.kind,
                self.identity.model,
                origin.record_id,
                origin.stage,
                origin.step,
                origin.sample,
                asked,
                kept,
                usage.prompt_tokens,
                usage.completion_tokens,
                given.finish_reason,
                round(given.seconds, 4),
            )
        )
        self.tally.made += 1
        return given
