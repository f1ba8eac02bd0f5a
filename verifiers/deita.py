"""DEITA's score: how complex the instructions are, times how good the replies are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from synth import (
    Chat,
    ModelVerifier,
    Prompt,
    RecipeFile,
    Record,
    Sampling,
    Services,
    Text,
    Verdict,
)

from . import bounds
from .together import all_of
from .turns import Turn, turns_of

_DIGITS = {str(digit): digit for digit in range(1, 7)}
_SPACE_MARKS = " \t\n\u2581\u0120"
_COMPLEXITY = """
--- system
You rate how complex a request to an assistant is, on a scale from 1 to 6. 1: anybody can do it at
once. 6: it takes expert knowledge, many steps, or many conditions that must hold together. You do
not answer the request.
--- user
The request, between the lines of equals signs:
=====
{{ instruction }}
=====

Reply with one digit from 1 to 6, and nothing else.
"""
_QUALITY = """
--- system
You rate how good a reply to a request is, on a scale from 1 to 6. Look at how helpful it is,
whether it is to the point, how deep, how original and how detailed. 1: useless. 6: nobody could do
better.
--- user
The request, between the lines of equals signs:
=====
{{ instruction }}
=====

The reply, between the lines of equals signs:
=====
{{ reply }}
=====

Reply with one digit from 1 to 6, and nothing else.
"""


class Deita(ModelVerifier):
    """The complexity of each turn's instruction times the quality of its reply, summed over turns.

    Each is read off the first token that a model would say: the expectation of the digits 1 to 6
    under their probabilities alone, among the `top_logprobs` likeliest tokens. A digit that is not
    among them weighs nothing; where none is, the turn gets `unread`, the published 3.0, or with
    null the record is not judged (`no_digits`). `every_digit: true` gives `unread` as soon as one
    of the six is missing, as the authors' code does.

    Without prompts of yours any chat model is asked in our words. For the published scorers
    (hkust-nlp's deita-complexity-scorer and deita-quality-scorer) name two engines, set `raw: true`
    and put the text that each was trained on into a Jinja file; `{{ ' ' }}` at its end keeps a last
    space. Name but one engine, and the sum is of that score alone.

    A turn is a user's message and what the assistant last said before the next one; each is shown
    alone, as published. Turns without both (without an instruction, if only complexity is asked)
    do not count; a record without any is not judged. An engine that gives no log-probabilities is
    an error. The score is the sum, 1 to 36 for each turn. `too_low`, `too_high`: it is out of the
    bounds that are given. Evidence: `turns`, with the scores of each, and how many were `unread`.

    Source: Liu et al., "What Makes Good Data for Alignment? A Comprehensive Study of Automatic Data
    Selection in Instruction Tuning" (2024), sections 2 and 3.
    """

    name: ClassVar[str] = "deita"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (*bounds.REASONS, "no_digits", "nothing_to_judge")

    complexity_engine: str | None = None
    """Name of the recipe's engine that rates instructions."""
    quality_engine: str | None = None
    """Name of the recipe's engine that rates replies."""
    complexity_prompt: RecipeFile | None = None
    """A Jinja file beside the recipe; shows `instruction`."""
    quality_prompt: RecipeFile | None = None
    """A Jinja file beside the recipe; shows `instruction` and `reply`."""
    raw: bool = False
    """Whether the prompt is raw text to continue, and not a chat: it must be one message."""
    top_logprobs: int = Field(20, ge=6, le=20)
    """How many of the likeliest tokens are asked for; many servers give 20 at most, some fewer."""
    unread: float | None = Field(3.0, ge=1, le=6)
    """What a turn gets whose digits are not there; null: such a record is not judged."""
    every_digit: bool = False
    """Whether all six digits must be there."""
    at_least: float | None = None
    """The least score that passes."""
    at_most: float | None = None
    """The greatest score that passes."""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if not self.engines():
            raise ValueError("wants a `complexity_engine`, a `quality_engine`, or both")
        bounds.refuse_crossed(self.at_least, self.at_most)
        for scale in self._scales:
            if self.raw and scale.prompt.roles != ("user",):
                raise ValueError(
                    f"`raw: true` wants a {scale.name}_prompt that is one text, found a chat: give "
                    "a file without '--- role' lines"
                )
        return self

    def engines(self) -> tuple[str, ...]:
        """Return the names of the engines that it asks."""
        named = (self.complexity_engine, self.quality_engine)
        return tuple(dict.fromkeys(name for name in named if name))

    @cached_property
    def _scales(self) -> tuple[_Scale, ...]:
        scales = (
            ("complexity", self.complexity_engine, self.complexity_prompt, _COMPLEXITY),
            ("quality", self.quality_engine, self.quality_prompt, _QUALITY),
        )
        return tuple(
            _Scale(name, engine, Prompt.read(file) if file else Prompt(ours))
            for name, engine, file, ours in scales
            if engine
        )

    async def judge(self, records: Sequence[Record], services: Services) -> list[Verdict]:
        """Return one verdict for each record; all calls are made at once."""
        return await all_of(self._judge(record, services) for record in records)

    async def _judge(self, record: Record, services: Services) -> Verdict:
        turns = turns_of(record)
        if self.quality_engine:
            turns = [turn for turn in turns if turn.reply]
        if not turns:
            return Verdict.abstained("nothing_to_judge", "no turn with an instruction and a reply")
        asked = [(scale, number) for number in range(len(turns)) for scale in self._scales]
        read = await all_of(
            self._ask(scale, turns[number], number, record, services) for scale, number in asked
        )
        width = len(self._scales)
        return self._verdict([read[at : at + width] for at in range(0, len(read), width)])

    async def _ask(
        self, scale: _Scale, turn: Turn, number: int, record: Record, services: Services
    ) -> float | None:
        """Return a turn's score on one scale, or None where the digits are not there."""
        messages = scale.prompt.render({"instruction": turn.instruction, "reply": turn.reply})
        prompt = Text(messages[0]["content"]) if self.raw else Chat(messages)
        sampling = Sampling(temperature=0.0, max_tokens=1, top_logprobs=self.top_logprobs)
        said = await services.complete(
            scale.engine, prompt, sampling, record, step=scale.name, sample=number
        )
        if said.top_logprobs is None:
            raise ValueError(
                f"no_logprobs: wanted the likeliest first tokens of the engine {scale.engine!r}, "
                "got none; name one that gives log-probabilities"
            )
        likeliest = said.top_logprobs[0] if said.top_logprobs else ()
        return expectation(likeliest, every_digit=self.every_digit)

    def _verdict(self, read: Sequence[Sequence[float | None]]) -> Verdict:
        unread = sum(score is None for turn in read for score in turn)
        if unread and self.unread is None:
            said = f"{unread} of {len(read) * len(self._scales)} first tokens are no digits"
            return Verdict.abstained("no_digits", said)
        filled = [[self._filled(score) for score in turn] for turn in read]
        evidence: Mapping[str, Any] = {
            "turns": [[round(score, 4) for score in turn] for turn in filled],
            "unread": unread,
        }
        score = math.fsum(map(math.prod, filled))
        what = "the sum of " + " × ".join(scale.name for scale in self._scales)
        return bounds.bounded(score, self.at_least, self.at_most, what=what, evidence=evidence)

    def _filled(self, score: float | None) -> float:
        return score if score is not None else self.unread or 0.0


@dataclass(frozen=True, slots=True)
class _Scale:
    name: str
    engine: str
    prompt: Prompt


def expectation(likeliest: Sequence[tuple[str, float]], *, every_digit: bool) -> float | None:
    """Return the expectation of the digits 1 to 6 among tokens with log-probabilities.

    Their probabilities are taken to sum to 1. Spaces around a digit do not count; one that is there
    twice, with a space and without, has both probabilities. None if no digit is there, or, with
    `every_digit`, if not all are.
    """
    found = [
        (_DIGITS[text], logprob)
        for token, logprob in likeliest
        if (text := token.strip(_SPACE_MARKS)) in _DIGITS and math.isfinite(logprob)
    ]
    wanted = len(_DIGITS) if every_digit else 1
    if len({digit for digit, _ in found}) < wanted:
        return None
    top = max(logprob for _, logprob in found)
    weights = [(digit, math.exp(logprob - top)) for digit, logprob in found]
    total = math.fsum(weight for _, weight in weights)
    return math.fsum(digit * weight for digit, weight in weights) / total
