"""What a reward model says of a conversation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import Field, model_validator

from synth import Chat, RecipeFile, Record, Services, Text, Verdict

from . import bounds
from .asks_one import AsksOne
from .text_of import nothing_to_judge


class Reward(AsksOne):
    """The reward of a conversation that ends with a reply, by a model with a classification head.

    The engine is one that classifies, such as `hf_classifier`: it holds the model once, whatever
    the number of workers, and reads conversations in batches. The conversation is written by the
    model's own chat template, or as the text that a `prompt` of yours makes of it. The score is the
    head's raw output; of a head with several labels `label` says which. `too_low`, `too_high`: it
    is out of the bounds that are given; without any it passes.
    """

    name: ClassVar[str] = "reward"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (*bounds.REASONS, "nothing_to_judge")

    engine: str
    """Name of the recipe's engine that classifies."""
    label: int | None = Field(None, ge=0)
    """Which of several outputs is the score, from 0."""
    prompt: RecipeFile | None = None
    """A Jinja file beside the recipe, one text; shows `messages`, `instruction` and `reply`."""
    at_least: float | None = None
    """The least score that passes."""
    at_most: float | None = None
    """The greatest score that passes."""

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        bounds.refuse_crossed(self.at_least, self.at_most)
        return self

    async def _judge(self, record: Record, services: Services) -> Verdict:
        if not record.reply.strip():
            return nothing_to_judge("reply")
        outputs = await services.classify(self.engine, self._shown(record), record)
        score = self._chosen(outputs)
        return bounds.bounded(score, self.at_least, self.at_most, what="the reward")

    def _shown(self, record: Record) -> Chat | Text:
        if self._prompt is None:
            return Chat(record.messages)
        names = {
            "messages": record.messages,
            "instruction": record.instruction,
            "reply": record.reply,
        }
        [message] = self._prompt.render(names)
        return Text(message["content"])

    def _chosen(self, outputs: Sequence[float]) -> float:
        if self.label is None and len(outputs) == 1:
            return outputs[0]
        if self.label is None or self.label >= len(outputs):
            raise ValueError(
                f"no_such_label: the head of {self.engine!r} has {len(outputs)} outputs; wanted a "
                f"`label` from 0 to {len(outputs) - 1}, got {self.label!r}"
            )
        return outputs[self.label]
