"""How much a prompt helps a model to an answer: what it loses on it after the prompt, and alone."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from synth import Chat, Text, TokenLogprobs, Verdict

_HIGHEST_EXPONENT = 700.0
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Definition:
    """What is measured, as `ifd` names it in its options."""

    ratio: Literal["loss", "perplexity"]
    first_counts: Literal["everywhere", "after_prompt", "nowhere"]
    max_length: int
    """0: nothing is cut."""
    alone_extra: int
    over_long: Literal["cut", "skip"]


@dataclass(frozen=True, slots=True)
class Pair:
    """An answer with the prompt that it is judged after, and with what stands before it alone."""

    prompt: Chat | Text
    alone: Text
    answer: str


@dataclass(frozen=True, slots=True)
class Helped:
    """What was measured of a pair."""

    ratio: float
    loss: float
    """Mean, in nats a token, after the prompt."""
    alone_loss: float
    tokens: int
    """How many count after the prompt."""


class Ask(Protocol):
    """Whoever asks an engine for log-probabilities."""

    def __call__(
        self, prompt: Chat | Text, answer: str, *, step: str, cut_at: int | None
    ) -> Awaitable[TokenLogprobs]:
        """Return those of `answer` after `prompt`."""
        ...


async def helped(pair: Pair, definition: Definition, ask: Ask) -> Helped | Verdict:
    """Return how much the prompt helps, or a verdict that says why nothing can be said of it."""
    if not pair.answer.strip():
        return Verdict.abstained("empty_answer", "the answer is blank")
    longest = definition.max_length or None
    after = await ask(pair.prompt, pair.answer, step="after_prompt", cut_at=longest)
    room = longest - after.before if longest is not None else None
    if room is not None and room <= 0:
        said = f"the prompt has {after.before} tokens, prompt and answer are cut after {longest}"
        return Verdict.abstained("too_long", said)
    cut_at = None if room is None else room + definition.alone_extra
    alone = await ask(pair.alone, pair.answer, step="alone", cut_at=cut_at)
    if definition.over_long == "skip" and room is not None and _length(alone) > room:
        said = f"the answer has {_length(alone)} tokens, the prompt leaves room for {room}"
        return Verdict.abstained("too_long", said)
    return _compared(after, alone, definition)


def _length(scored: TokenLogprobs) -> int:
    # The first token of a text is there, but has no log-probability.
    return len(scored.logprobs) + (scored.before == 0)


def _compared(
    after: TokenLogprobs, alone: TokenLogprobs, definition: Definition
) -> Helped | Verdict:
    kept = _counted(after, first=definition.first_counts != "nowhere")
    kept_alone = _counted(alone, first=definition.first_counts == "everywhere")
    if not kept or not kept_alone:
        said = "the answer has no token whose probability can be told, alone or after the prompt"
        return Verdict.abstained("too_short", said)
    loss, alone_loss = mean_loss(kept), mean_loss(kept_alone)
    if definition.ratio == "perplexity":
        ratio = exponential(loss - alone_loss)
    elif alone_loss > 0:
        ratio = loss / alone_loss
    else:
        said = "the model is certain of the answer without a prompt: no ratio can be told"
        return Verdict.abstained("certain_alone", said)
    return Helped(round(ratio, _DIGITS), loss, alone_loss, len(kept))


def _counted(scored: TokenLogprobs, *, first: bool) -> Sequence[float]:
    return scored.logprobs if first or scored.before == 0 else scored.logprobs[1:]


def mean_loss(logprobs: Sequence[float]) -> float:
    """Return the mean of what is lost on tokens, in nats, at least 0."""
    return abs(math.fsum(logprobs)) / len(logprobs)


def exponential(loss: float) -> float:
    """Return e^`loss`, e^700 at most: larger ones are no finite numbers."""
    return math.exp(min(loss, _HIGHEST_EXPONENT))
