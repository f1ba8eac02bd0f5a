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
from functools import partial
from typing import Any, ClassVar

from pydantic import PrivateAttr

from synth.engine.base import Chat, Origin, Prompted, Sampling
from synth.engine.hf_model import HfModel
from synth.engine.hf_running import Running
from synth.engine.hf_scoring import in_halves, together
from synth.engine.hf_weights import Loaded
from synth.engine.in_batches import InBatches
from synth.errors import CallFailed

Outputs = tuple[float, ...]


class HfClassifierEngine(HfModel):
    """A sequence-classification model of transformers, on a GPU or the CPU.

    Gives the raw outputs of its head, one for each label; a reward model has one. They depend on
    what else is in flight by rounding alone: about 1e-5 of their size in float32, 1e-2 in bfloat16.
    Code that comes with a model is never run. Computing is not broken off: `timeout_s` does not
    apply.
    """

    name: ClassVar[str] = "hf_classifier"
    capabilities: ClassVar[frozenset[str]] = frozenset({"classify", "chat_text"})
    kind: ClassVar = "AutoModelForSequenceClassification"

    _outputs: InBatches[tuple[int, ...], Outputs] = PrivateAttr()

    async def _begin(self, running: Running, budget: int) -> None:
        self._outputs = running.batches(_Head(running.loaded), partial(together, budget=budget))

    async def classify(self, prompt: Prompted, origin: Origin) -> Outputs:
        """Return the head's outputs for a text, or for a conversation by its chat template.

        Raises CallFailed for a text that is longer than the model's context, or empty.
        """
        running = self._at_work()
        tokens = await running.read(lambda: _tokens(running, prompt))
        return await self._outputs.ask(tokens)


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
