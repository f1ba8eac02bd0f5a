"""A model of transformers in this process: what a text is worth to it, on a GPU or the CPU.

Made for scoring: texts that are asked for together are read together, and what they begin with in
common once. To write many long replies, take `vllm`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from pydantic import Field, JsonValue, PrivateAttr

from synth.engine.base import Engine, Origin, Prompted, Sampling
from synth.engine.chat_template import has_no_template
from synth.engine.hf_running import Running, budget_of, not_running
from synth.engine.hf_scoring import Scorer, Span, together
from synth.engine.hf_weights import Dtype, Wanted
from synth.engine.in_batches import InBatches
from synth.engine.reply import TokenLogprobs
from synth.engine.weights import ModelName
from synth.frozen import RecipeFile
from synth.record import Message


@dataclass(frozen=True, slots=True)
class _Started:
    running: Running
    scores: InBatches[Span, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class _Read:
    """A text, tokenised: how many tokens stand before its continuation, and how that one's look."""

    tokens: tuple[int, ...]
    before: int
    shown: tuple[str, ...]


class HfEngine(Engine):
    """A causal model of transformers, on a GPU or the CPU, that gives log-probabilities.

    Values depend on what else is in flight only by the rounding of floating point: less than 1e-4 a
    token in float32, a few hundredths in bfloat16. Code that comes with a model is never run.
    Computing is not broken off: `timeout_s` does not apply.
    """

    name: ClassVar[str] = "hf"
    knobs: ClassVar[frozenset[str]] = Engine.knobs | {"device", "batch_tokens"}
    capabilities: ClassVar[frozenset[str]] = frozenset({"logprobs", "chat_text"})

    model: ModelName
    """A name on the Hub, or a folder relative to the recipe."""
    revision: str | None = None
    """Branch, tag or commit on the Hub."""
    tokenizer: ModelName | None = None
    """Where the tokenizer comes from, if not from the model."""
    chat_template: RecipeFile | None = None
    """A Jinja file in place of the tokenizer's own chat template."""
    template_options: dict[str, JsonValue] = Field(default_factory=dict)
    """Variables for the chat template, such as `enable_thinking: false`."""
    dtype: Dtype | None = None
    """How weights are held: by default `bfloat16` on a GPU, `float32` on the CPU."""
    device: str | None = None
    """Such as `cpu` or `cuda:1`; by default the first GPU if there is one."""
    batch_tokens: int | None = Field(default=None, ge=1)
    """Tokens that are computed at once; by default 1,024 on the CPU and 16,384 on a GPU."""

    _started: _Started | None = PrivateAttr(None)

    def lacking(self) -> dict[str, str]:
        """Return that it cannot show a chat where the model's folder holds no chat template."""
        folder = Path(self.tokenizer or self.model)
        if self.chat_template is not None or not has_no_template(folder):
            return {}
        why = f"the folder {folder.name!r} holds no chat template; name a file as `chat_template`"
        return {"chat_text": why}

    async def start(self) -> None:
        """Load the model: seconds to minutes.

        Raises InputError if torch or transformers is missing, EngineRefused if the model is.
        """
        wanted = Wanted(
            "AutoModelForCausalLM",
            self.model,
            self.revision,
            self.tokenizer,
            self.dtype,
            self.device,
        )
        template = self.chat_template.read_text("utf-8") if self.chat_template else None
        running = await Running.started(
            wanted, template=template, template_options=self.template_options
        )
        loaded = running.loaded
        budget = self.batch_tokens or budget_of(loaded.device)
        scorer = await running.set_up(lambda: Scorer(loaded))
        scores = running.batches(scorer, partial(_together, budget=budget))
        self._started = _Started(running, scores)

    async def close(self) -> None:
        """Cancel what waits and let go of the model."""
        started, self._started = self._started, None
        if started is not None:
            await started.running.close()

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
        started = self._at_work()
        running = started.running
        read = await running.read(lambda: _read(running, prompt, continuation, cut_at))
        first = max(read.before, 1)
        if first >= len(read.tokens):
            return TokenLogprobs((), (), read.before)
        likely = await started.scores.ask(Span(read.tokens, first))
        return TokenLogprobs(read.shown[first - read.before :], likely, read.before)

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as the model's chat template writes them."""
        return await self._at_work().running.chat_text(messages, reply_next=reply_next)

    def _at_work(self) -> _Started:
        if self._started is None:
            raise not_running(self.name)
        return self._started


def _read(running: Running, prompt: Prompted, continuation: str, cut_at: int | None) -> _Read:
    reading = running.reading
    tokens, before = reading.tokens_and_border(reading.raw(prompt, Sampling()), continuation)
    kept = tuple(tokens[:cut_at])
    running.want_room(len(kept))
    return _Read(kept, before, tuple(reading.shown(token) for token in kept[before:]))


def _together(waiting: Sequence[Span], budget: int) -> list[int]:
    return together([span.tokens for span in waiting], budget)
