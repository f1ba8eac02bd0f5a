"""How surprising a text is to a model."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from synth import Chat, RecipeFile, Record, Services, Text, Verdict

from . import bounds
from .asks_one import AsksOne
from .help import exponential, mean_loss
from .text_of import Of, nothing_to_judge, text_of


class Perplexity(AsksOne):
    """The perplexity of a text to a model: e to the mean of what it loses on its tokens.

    A reply is read after its conversation, as the model's chat template writes it, or after a
    `prompt` of yours; `alone: true` shows nothing before it. Other texts are read alone. Where no
    token stands before a text, its first one has no probability and does not count; a text of one
    token is then not judged (`too_short`). The score is the perplexity, e^700 at most, or the mean
    loss. `too_low`, `too_high`: it is out of the bounds that are given; without any it passes.
    Evidence: the mean `loss` in nats, and how many `tokens` count.
    """

    name: ClassVar[str] = "perplexity"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (
        *bounds.REASONS,
        "nothing_to_judge",
        "too_long",
        "too_short",
    )

    of: Of = "reply"
    """Which text: the `reply`, the `instruction`, or `all` messages."""
    measure: Literal["perplexity", "loss"] = "perplexity"
    """What the score is."""
    alone: bool = False
    """Whether the reply is read without what stands before it."""
    prompt: RecipeFile | None = None
    """A Jinja file beside the recipe, the text before the reply; shows `instruction`."""
    max_length: int | None = Field(None, ge=1)
    """Tokens after which the text, with all before it, is cut."""
    at_least: float | None = None
    """The least score that passes."""
    at_most: float | None = None
    """The greatest score that passes."""

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        bounds.refuse_crossed(self.at_least, self.at_most)
        return self

    async def _judge(self, record: Record, services: Services) -> Verdict:
        text = text_of(record, self.of) or ""
        if not text.strip():
            return nothing_to_judge(self.of)
        scored = await services.logprobs(
            self.engine, self._before(record), text, record, cut_at=self.max_length
        )
        if self.max_length is not None and scored.before >= self.max_length:
            said = f"{scored.before} tokens stand before it, and the text is cut there"
            return Verdict.abstained("too_long", said)
        if not scored.logprobs:
            said = "the text has no token whose probability can be told"
            return Verdict.abstained("too_short", said)
        loss = mean_loss(scored.logprobs)
        return bounds.bounded(
            exponential(loss) if self.measure == "perplexity" else loss,
            self.at_least,
            self.at_most,
            what=f"the {self.measure}",
            evidence={"loss": round(loss, 4), "tokens": len(scored.logprobs)},
        )

    def _before(self, record: Record) -> Chat | Text:
        if self.of != "reply" or self.alone or len(record.messages) < 2:
            return Text("")
        if self._prompt is None:
            return Chat(record.messages[:-1])
        [message] = self._prompt.render({"instruction": record.instruction})
        return Text(message["content"])
