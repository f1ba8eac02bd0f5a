"""Instruction-following difficulty: how much an instruction helps a model to its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from synth import (
    Chat,
    Message,
    Prompt,
    RecipeFile,
    Record,
    Services,
    Text,
    TokenLogprobs,
    Verdict,
)

from .asks_one import AsksOne
from .exchanges import Exchange, exchanges_of
from .help import Definition, Helped, Pair, helped
from .together import all_of

Ratio = Literal["loss", "perplexity"]
OverLong = Literal["cut", "skip"]

_REVERSE = "{{ reply }}\n\nThe request that the text above answers:{{ '\\n' }}"
_SHOWN_DIGITS = 4


@dataclass(frozen=True, slots=True)
class _Published:
    """What a preset says of each option."""

    ratio: Ratio
    prompt: str
    alone_after: str
    may_be_one: bool
    max_length: int
    alone_extra: int
    over_long: OverLong


_PRESETS: Mapping[str, _Published] = {
    "cherry": _Published(
        "loss",
        "{{ instruction }}\n\n### Response:",
        "### Response:",
        may_be_one=True,
        max_length=512,
        alone_extra=4,
        over_long="skip",
    ),
    "superfiltering": _Published(
        "perplexity",
        "{{ instruction }}{{ '\\n' }}",
        "",
        may_be_one=False,
        max_length=1024,
        alone_extra=1,
        over_long="cut",
    ),
}


class Ifd(AsksOne):
    """The model's surprise at the answer after its instruction, divided by that at it alone.

    Below 1 the instruction helps; the nearer to 1, the harder it is to follow. Above 1 it misleads
    or has nothing to do with the answer: `not_helped`. Takes any engine with log-probabilities.

    `preset: superfiltering` (for a small model such as GPT-2): the ratio of perplexities; the
    prompt is the instruction and a line break, the answer alone has nothing before it; texts are
    cut after 1,024 tokens; the ratio must be below 1. `preset: cherry`: the ratio of mean losses;
    the prompt is the instruction, a blank line and `### Response:`, the answer alone stands after
    `### Response:`; texts are cut after 512 tokens; the ratio may be 1. Each of these is an option,
    too. Alpaca's prompt is a Jinja file of yours.

    As published, the answer alone is cut at `max_length` less the prompt's tokens, plus
    `alone_extra`. With `over_long: skip` (cherry) a pair is not judged whose prompt and answer, as
    many tokens as it then has alone, are more than `max_length`. A pair whose prompt leaves no room
    for an answer is never judged (`too_long`). A server behind `http` has to read the whole text:
    it cannot be told where to cut.

    Prompt and answer are tokenised as one text. A token that straddles their border counts to the
    answer; the authors' code counts the prompt's tokens alone, so its span is shifted by one where
    a tokenizer merges there. Where no token stands before the answer alone, its first one has no
    probability and does not count; an answer of one token is then not judged (`too_short`).

    Each reply of a conversation is judged after what stands before it; the score is the mean of
    their ratios, or the last. Not judged: blank replies (`empty_answer`), and with a ratio of
    losses answers of which the model is certain even without a prompt (`certain_alone`); it
    abstains if no reply can be judged. Evidence: for each reply that was judged its mean losses in
    nats, after the prompt and alone, and how many tokens count after the prompt.

    `reverse: true` asks how much the answer helps to the instruction; the prompt shows `reply`.

    Ratios are rounded to 6 digits: what is finer is noise of the model's arithmetic. A ratio of
    perplexities ends at e^700.

    Source: Li et al., "From Quantity to Quality: Boosting LLM Performance with Self-Guided Data
    Selection for Instruction Tuning" (2024), section 2; Li et al., "Superfiltering: Weak-to-Strong
    Data Filtering for Fast Instruction-Tuning" (2024), section 3; for the reverse: Li et al.,
    "Selective Reflection-Tuning: Student-Selected Data Recycling for LLM Instruction-Tuning"
    (2024), section 3.
    """

    name: ClassVar[str] = "ifd"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (
        "not_helped",
        "nothing_to_judge",
        "empty_answer",
        "too_long",
        "too_short",
        "certain_alone",
    )
    instead_of_prompt: ClassVar[str] = "`chat_template: true`"

    preset: Literal["cherry", "superfiltering"] = "superfiltering"
    """Whose definition: what each option below is that is not given."""
    ratio: Ratio | None = None
    """Of mean losses, or of perplexities."""
    prompt: RecipeFile | None = None
    """A Jinja file beside the recipe, one text; shows `instruction`, or `reply` in reverse."""
    chat_template: bool = False
    """Whether the model's own template writes what stands before the reply, and not `prompt`."""
    alone_after: str | None = None
    """What stands before the answer alone. By default as the preset says, in reverse nothing, with
    the chat template the header of a reply."""
    first_counts: Literal["everywhere", "after_prompt", "nowhere"] = "everywhere"
    """Where an answer's first token counts: after the prompt and alone, the former, or neither."""
    at_most: float | None = Field(None, gt=0)
    """The greatest ratio that passes. By default as the preset says."""
    below: float | None = Field(None, gt=0)
    """Ratios must be below this; one of the two."""
    max_length: int | None = Field(None, ge=0)
    """Tokens after which prompt and answer are cut; 0: never."""
    alone_extra: int | None = None
    """Tokens that the answer alone may have beyond what the prompt leaves of `max_length`."""
    over_long: OverLong | None = None
    """What becomes of a pair that is too long."""
    turns: Literal["mean", "last"] = "mean"
    """Which replies of a conversation make the score."""
    reverse: bool = False
    """Whether the instruction is judged, given the answer."""

    @model_validator(mode="after")
    def _has_one_bound(self) -> Self:
        if self.at_most is not None and self.below is not None:
            raise ValueError("wants `at_most` or `below`, not both")
        return self

    @cached_property
    def _published(self) -> _Published:
        return _PRESETS[self.preset]

    @cached_property
    def _prompt(self) -> Prompt:
        if self.prompt is not None:
            return Prompt.read(self.prompt)
        return Prompt(_REVERSE if self.reverse else self._published.prompt)

    @cached_property
    def _definition(self) -> Definition:
        published = self._published
        return Definition(
            self.ratio or published.ratio,
            self.first_counts,
            published.max_length if self.max_length is None else self.max_length,
            published.alone_extra if self.alone_extra is None else self.alone_extra,
            self.over_long or published.over_long,
        )

    async def _judge(self, record: Record, services: Services) -> Verdict:
        exchanges = exchanges_of(record)
        if not exchanges:
            return Verdict.abstained("nothing_to_judge", "no instruction that was replied to")
        places = range(len(exchanges)) if self.turns == "mean" else [len(exchanges) - 1]
        measured = await all_of(
            self._measured(exchanges[: place + 1], record, services) for place in places
        )
        found = [one for one in measured if isinstance(one, Helped)]
        if found:
            return self._verdict(found)
        return next(one for one in measured if isinstance(one, Verdict))

    async def _measured(
        self, exchanges: Sequence[Exchange], record: Record, services: Services
    ) -> Helped | Verdict:
        """Return what was measured of the last of `exchanges`."""
        if self.chat_template:
            pair = await self._chat_pair(exchanges[-1], services)
        else:
            pair = self._text_pair(exchanges)
        return await helped(
            pair, self._definition, partial(self._ask, record=record, services=services)
        )

    async def _ask(
        self,
        prompt: Chat | Text,
        answer: str,
        *,
        step: str,
        cut_at: int | None,
        record: Record,
        services: Services,
    ) -> TokenLogprobs:
        return await services.logprobs(
            self.engine, prompt, answer, record, step=step, cut_at=cut_at
        )

    def _text_pair(self, exchanges: Sequence[Exchange]) -> Pair:
        last = exchanges[-1]
        if self.reverse:
            return Pair(Text(self._shown(last)), Text(self.alone_after or ""), last.instruction)
        earlier = [f"{self._shown(one)}{one.reply}\n\n" for one in exchanges[:-1]]
        alone = self._published.alone_after if self.alone_after is None else self.alone_after
        return Pair(Text("".join([*earlier, self._shown(last)])), Text(alone), last.reply)

    def _shown(self, exchange: Exchange) -> str:
        [message] = self._prompt.render(
            {"instruction": exchange.instruction, "reply": exchange.reply}
        )
        return message["content"]

    async def _chat_pair(self, exchange: Exchange, services: Services) -> Pair:
        messages, answer = exchange.before, exchange.reply
        if self.reverse:
            messages = (Message(role="user", content=self._shown(exchange)),)
            answer = exchange.instruction
        header = self.alone_after
        if header is None:
            header = await self._header(messages, services)
        return Pair(Chat(messages), Text(header), answer)

    async def _header(self, messages: Sequence[Message], services: Services) -> str:
        """Return what the chat template writes before a reply."""
        engine = services.engine(self.engine)
        so_far = await engine.chat_text(messages, reply_next=False)
        return (await engine.chat_text(messages, reply_next=True)).removeprefix(so_far)

    def _verdict(self, found: Sequence[Helped]) -> Verdict:
        score = sum(one.ratio for one in found) / len(found)
        evidence = {
            "turns": [
                {
                    "loss": round(one.loss, _SHOWN_DIGITS),
                    "alone_loss": round(one.alone_loss, _SHOWN_DIGITS),
                    "tokens": one.tokens,
                }
                for one in found
            ]
        }
        if wanted := self._broken_bound(score):
            said = f"the {self._definition.ratio} ratio is {score:.4g}, wants {wanted}"
            return Verdict.failed("not_helped", said, score=score, evidence=evidence)
        return Verdict.passed(score=score, evidence=evidence)

    def _broken_bound(self, score: float) -> str:
        at_most, below = self.at_most, self.below
        if at_most is None and below is None:
            at_most, below = (1.0, None) if self._published.may_be_one else (None, 1.0)
        if at_most is not None and score > at_most:
            return f"at most {at_most:g}"
        if below is not None and score >= below:
            return f"less than {below:g}"
        return ""
