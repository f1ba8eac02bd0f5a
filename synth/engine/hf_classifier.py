"""A classification model of transformers in this process: reward models, quality classifiers.

One copy of the model serves all verifiers of a run. In the workers that judge on the CPU each
process would hold its own, and a GPU has not room for many.
"""
# torch is not installed where types are checked.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

from pydantic import Field, JsonValue, PrivateAttr

from synth.engine.base import Chat, Engine, Origin, Prompted, Sampling
from synth.engine.hf_running import Running, budget_of, not_running
from synth.engine.hf_scoring import in_halves, together
from synth.engine.hf_weights import Dtype, Loaded, Wanted
from synth.engine.in_batches import InBatches
from synth.engine.weights import ModelName
from synth.errors import CallFailed
from synth.frozen import RecipeFile
from synth.record import Message

Outputs = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Started:
    running: Running
    outputs: InBatches[tuple[int, ...], Outputs]


class HfClassifierEngine(Engine):
    """A sequence-classification model of transformers, on a GPU or the CPU.

    Gives the raw outputs of its head, one for each label; a reward model has one. They depend on
    what else is in flight by rounding alone: about 1e-5 of their size in float32, 1e-2 in bfloat16.
    Code that comes with a model is never run. Computing is not broken off: `timeout_s` does not
    apply.
    """

    name: ClassVar[str] = "hf_classifier"
    knobs: ClassVar[frozenset[str]] = Engine.knobs | {"device", "batch_tokens"}
    capabilities: ClassVar[frozenset[str]] = frozenset({"classify", "chat_text"})

    model: ModelName
    """A name on the Hub, or a folder relative to the recipe."""
    revision: str | None = None
    """Branch, tag or commit on the Hub."""
    tokenizer: ModelName | None = None
    """Where the tokenizer comes from, if not from the model."""
    chat_template: RecipeFile | None = None
    """A Jinja file in place of the tokenizer's own chat template."""
    template_options: dict[str, JsonValue] = Field(default_factory=dict)
    """Variables for the chat template."""
    dtype: Dtype | None = None
    """How weights are held: by default `bfloat16` on a GPU, `float32` on the CPU."""
    device: str | None = None
    """Such as `cpu` or `cuda:1`; by default the first GPU if there is one."""
    batch_tokens: int | None = Field(default=None, ge=1)
    """Tokens that are computed at once; by default 1,024 on the CPU and 16,384 on a GPU."""

    _started: _Started | None = PrivateAttr(None)

    async def start(self) -> None:
        """Load the model: seconds to minutes.

        Raises InputError if torch or transformers is missing, EngineRefused if the model is.
        """
        wanted = Wanted(
            "AutoModelForSequenceClassification",
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
        budget = self.batch_tokens or budget_of(running.loaded.device)
        outputs = running.batches(_Head(running.loaded), partial(together, budget=budget))
        self._started = _Started(running, outputs)

    async def close(self) -> None:
        """Cancel what waits and let go of the model."""
        started, self._started = self._started, None
        if started is not None:
            await started.running.close()

    async def classify(self, prompt: Prompted, origin: Origin) -> Outputs:
        """Return the head's outputs for a text, or for a conversation by its chat template.

        Raises CallFailed for a text that is longer than the model's context, or empty.
        """
        started = self._at_work()
        tokens = await started.running.read(lambda: _tokens(started.running, prompt))
        return await started.outputs.ask(tokens)

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as the model's chat template writes them."""
        return await self._at_work().running.chat_text(messages, reply_next=reply_next)

    def _at_work(self) -> _Started:
        if self._started is None:
            raise not_running(self.name)
        return self._started


def _tokens(running: Running, prompt: Prompted) -> tuple[int, ...]:
    reading = running.reading
    if isinstance(prompt, Chat):
        written = reading.rendered(prompt.messages, reply_next=False)
    else:
        written = reading.raw(prompt, Sampling())
    tokens = tuple(reading.tokens(written))
    if not tokens:
        raise CallFailed("empty_prompt: wanted a text to classify, found no token in it")
    running.want_room(len(tokens))
    return tokens


class _Head:
    """A network with a classification head, asked for batches of texts."""

    def __init__(self, loaded: Loaded) -> None:
        self._network = loaded.network
        self._device = loaded.device
        # The head of a causal model reads the last token that is no padding: it must know which.
        config = self._network.config
        if config.pad_token_id is None:
            config.pad_token_id = loaded.tokenizer.pad_token_id or 0
        self._pad = config.pad_token_id

    def __call__(self, asked: Sequence[tuple[int, ...]]) -> list[Outputs | Exception]:
        """Return the outputs for each text; what does not fit into memory is halved."""
        return in_halves(self._outputs, asked)

    def _outputs(self, asked: Sequence[tuple[int, ...]]) -> list[Outputs | Exception]:
        import torch

        width = max(map(len, asked))
        rows = [[*tokens, *[self._pad] * (width - len(tokens))] for tokens in asked]
        read = [[1] * len(tokens) + [0] * (width - len(tokens)) for tokens in asked]
        outputs: Any = self._network(
            input_ids=torch.tensor(rows, device=self._device),
            attention_mask=torch.tensor(read, device=self._device),
        ).logits
        return [_finite(row) for row in outputs.float().tolist()]


def _finite(outputs: Sequence[float]) -> Outputs | Exception:
    if not all(map(math.isfinite, outputs)):
        return CallFailed("not_a_number: the head's outputs are not finite; try `dtype: float32`")
    return tuple(outputs)
