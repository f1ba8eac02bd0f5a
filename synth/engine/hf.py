"""A model of transformers in this process: what a text is worth to it, on a GPU or the CPU.

Made for scoring: texts that are asked for together are read together, and what they begin with in
common once. To write many long replies, take `vllm`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from pydantic import PrivateAttr

from synth.engine.base import Origin, Prompted, Sampling
from synth.engine.hf_model import HfModel
from synth.engine.hf_running import Running
from synth.engine.hf_scoring import Scorer, Span, together
from synth.engine.in_batches import InBatches
from synth.engine.reply import TokenLogprobs


@dataclass(frozen=True, slots=True)
class _Read:
    """A text, tokenised: how many tokens stand before its continuation, and how that one's look."""

    tokens: tuple[int, ...]
    before: int
    shown: tuple[str, ...]


class HfEngine(HfModel):
    """A causal model of transformers, on a GPU or the CPU, that gives log-probabilities.

    Values depend on what else is in flight only by the rounding of floating point: less than 1e-4 a
    token in float32, a few hundredths in bfloat16. Code that comes with a model is never run.
    Computing is not broken off: `timeout_s` does not apply.
    """

    name: ClassVar[str] = "hf"
    capabilities: ClassVar[frozenset[str]] = frozenset({"logprobs", "chat_text"})
    kind: ClassVar = "AutoModelForCausalLM"

    _scores: InBatches[Span, tuple[float, ...]] = PrivateAttr()

    async def _begin(self, running: Running, budget: int) -> None:
        scorer = await running.set_up(lambda: Scorer(running.loaded))
        self._scores = running.batches(scorer, partial(_together, budget=budget))

    async def logprobs(
        self, prompt: Prompted, continuation: str, origin: Origin, *, cut_at: int | None = None
    ) -> TokenLogprobs:
        """Return the log-probabilities of `continuation` after `prompt`.

        Both are tokenised as one text, and a token that straddles their border counts to the
        continuation; after a prompt of token ids the continuation is tokenised alone. The very
        first token of a text has no log-probability and is left out. Raises CallFailed for a text
        that is longer than the model's context.
        """
        if not continuation:
            return TokenLogprobs((), ())
        running = self._at_work()
        read = await running.read(lambda: _read(running, prompt, continuation, cut_at))
        first = max(read.before, 1)
        if first >= len(read.tokens):
            return TokenLogprobs((), (), read.before)
        likely = await self._scores.ask(Span(read.tokens, first))
        return TokenLogprobs(read.shown[first - read.before :], likely, read.before)


def _read(running: Running, prompt: Prompted, continuation: str, cut_at: int | None) -> _Read:
    reading = running.reading
    tokens, before = reading.tokens_and_border(reading.raw(prompt, Sampling()), continuation)
    kept = tuple(tokens[:cut_at])
    running.want_room(len(kept))
    return _Read(kept, before, tuple(reading.shown(token) for token in kept[before:]))


def _together(waiting: Sequence[Span], budget: int) -> list[int]:
    return together([span.tokens for span in waiting], budget)
