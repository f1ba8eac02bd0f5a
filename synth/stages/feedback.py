"""Have several answers to a prompt judged beside each other: the step from prompts to preferences.

Answering and judging are one stage because a judge must see the siblings together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import cached_property
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from synth.engine.base import Chat, Sampling
from synth.errors import CallFailed
from synth.record import Message, Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.aspects import DEFAULT, SHIPPED, Aspects, check_together
from synth.stages.parts.comparison import compared
from synth.stages.parts.contest import Contest, Score, places
from synth.stages.parts.conversation import question_of, with_system
from synth.stages.parts.principles import Principles, chosen_principles, drawn_principle
from synth.stages.parts.rating import rated
from synth.stages.parts.reasoning import turn_of
from synth.stages.parts.replies import MalformedError, failed_child, malformed_child, whole_reply
from synth.stages.parts.shipped import shipped_prompts

Share = Annotated[float, Field(ge=0, le=1)]


class Feedback(Stage):
    """Make a child for each answer to a record's prompt, with the score that a judge gives it.

    Each of `engines` answers `n` times; with `own` the record's own reply is one of the answers
    (`n: 0` judges it alone). Then `judge` either rates (`how: rate`): one call for each of
    `aspects` shows all answers in a random order; or compares (`how: compare`): each two answers,
    in both orders. A soft label is taken where `judge_sampling` asks for `top_logprobs`; else two
    verdicts that disagree are a tie. Both may be repeated `judge_samples` times.

    Fields of each child: `expert` (the engine that wrote it), `score` (higher is better), `place`
    (`best`, `worst`, `between`, or `equal` for all where none is better), and `ratings` by aspect
    (and `rationales`), or `wins`: the probability to be better than the sibling of that number.
    A rating that cannot be read (N/A, no number, off the scale, cut off, a failed call) is missing:
    the mean is taken over the others.

    Dropped: `not_rated` (nothing readable was said about it; `raw_reply` holds what was), or the
    failed call's reason where no reply came; `empty_answer`, `cut_off_answer`,
    `unfinished_reasoning`.

    Methods: Cui et al., "UltraFeedback" (2024), section 2 (rating); Bai et al., "Constitutional AI"
    (2022), section 4 (comparing, soft labels); Yuan et al., "Self-Rewarding Language Models"
    (2024), section 2 (`aspects: [points]`, `together: false`); Lambert et al., "Tulu 3" (2024),
    section 5 (`rejected: random`; unlike its code, one that is not worse is never drawn).
    """

    name: ClassVar[str] = "feedback"
    takes: ClassVar = "instruction"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("feedback")

    experts: tuple[str, ...] = Field(default=(), alias="engines")
    """Names of the engines that answer."""
    draw: int | None = Field(default=None, ge=1)
    """How many of `engines` answer a record, drawn evenly; by default all."""
    n: int = Field(default=1, ge=0)
    """Answers of each engine."""
    own: bool = False
    """Whether the record's own reply is one of the answers."""
    judge: str
    """Name of the engine that judges."""
    how: Literal["rate", "compare"] = "rate"
    """What the judge is asked."""
    aspects: Aspects = tuple(SHIPPED[name] for name in DEFAULT)
    """What is rated: names of shipped aspects, or own ones (`name`, `description`, `least`, `most`,
    `weight`), all on one scale."""
    together: bool = True
    """Whether one call rates all answers; else each is rated alone."""
    rationales: bool = False
    """Whether the judge's reasons are kept."""
    principles: Principles | Literal["shipped"] | None = None
    """Where to draw the principle for each comparison from; by default none is named."""
    reasoning: bool = False
    """Whether the judge of a comparison weighs in words first."""
    clamp: tuple[Share, Share] = (0.4, 0.6)
    """With `reasoning`: bounds of each soft label, which would be too sure after an argument."""
    judge_samples: int = Field(default=1, ge=1)
    """How often each question is put to the judge."""
    rejected: Literal["worst", "random"] = "worst"
    """Which answer below the best gets the place `worst`."""
    min_gap: float = Field(default=0.0, ge=0)
    """How far below the best the worst must score."""
    answer_principles: Principles | None = None
    """Where to draw a system turn for each answer from, so that answers differ in what they care
    for, as in UltraFeedback; the row's field `principle` tells it, its turns do not."""
    all_aspects: bool = False
    """Whether an answer that misses a rating by one aspect is `not_rated`."""
    sampling: Sampling = Sampling(temperature=1.0, top_p=1.0, max_tokens=2048)
    """How answers are drawn."""
    judge_sampling: Sampling = Sampling(temperature=0.0, max_tokens=2048)
    """How the judge's replies are drawn."""
    rating_prompt: str | None = None
    """A Jinja file beside the recipe: shows `aspect`, `conversation` and `answers`, asks for a
    heading `Answer 1` and lines `Rationale:` and `Rating:` for each."""
    comparison_prompt: str | None = None
    """A Jinja file beside the recipe: shows `conversation`, `first`, `second`, `principle` and
    `reasoning`, asks for A, B or tie (after `Better:`, with reasoning)."""

    @model_validator(mode="after")
    def _options_suit_each_other(self) -> Self:
        check_together(self.aspects)
        if len(set(self.experts)) < len(self.experts):
            raise ValueError("wants each of `engines` once; `n` asks one several times")
        if not self.own and not (self.experts and self.n):
            raise ValueError("wants `engines` and `n` of at least 1, or `own: true`")
        if self.draw and self.draw > len(self.experts):
            raise ValueError(f"wants `draw` of at most {len(self.experts)}, got {self.draw}")
        if self.how == "compare" and (self.draw or len(self.experts)) * self.n + self.own < 2:
            raise ValueError("`how: compare` wants two answers at least")
        if self.clamp[0] > self.clamp[1]:
            raise ValueError(f"wants `clamp` in rising order, got {list(self.clamp)}")
        _ = self._principles, self._answer_principles  # raise ValueError for a file without any
        return self

    def engines(self) -> tuple[str, ...]:
        """Return those that answer, and the judge."""
        return tuple(dict.fromkeys((*self.experts, self.judge)))

    def prompts_used(self) -> tuple[str, ...]:
        """Return the prompt that this way of judging asks with."""
        return ("rating_prompt",) if self.how == "rate" else ("comparison_prompt",)

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return one child for each answer."""
        if self.own and not record.reply:
            raise ValueError("nothing_to_rate: with `own` a record must end with a reply")
        conversation = question_of(record)
        children = await self._answers(record, conversation, services)
        answers = {
            number: child.reply for number, child in enumerate(children) if child.state == "live"
        }
        contest = Contest(self, services, record, conversation, answers)
        scores = await self._scores(contest) if answers else {}
        return self._placed(children, scores, services, record)

    async def _scores(self, contest: Contest) -> dict[int, Score]:
        if self.how == "rate":
            return await rated(contest)
        return await compared(contest, self._principles)

    @cached_property
    def _answer_principles(self) -> tuple[str, ...]:
        own = self.answer_principles
        return () if own is None else chosen_principles(own)

    @cached_property
    def _principles(self) -> tuple[str, ...]:
        if self.principles is None:
            return ()
        return chosen_principles(None if self.principles == "shipped" else self.principles)

    async def _answers(
        self, record: Record, conversation: tuple[Message, ...], services: Services
    ) -> list[Record]:
        """Return a child for each answer, its number its place in the list."""
        drawn = self._drawn(record, services)
        asked = [(name, sample) for sample in range(self.n) for name in drawn]
        async with asyncio.TaskGroup() as tasks:
            calls = [
                tasks.create_task(
                    self._answer(record, conversation, services, (number, name, sample))
                )
                for number, (name, sample) in enumerate(asked, int(self.own))
            ]
        own = [record.child(services.label, 0)] if self.own else []
        return own + [call.result() for call in calls]

    def _drawn(self, record: Record, services: Services) -> tuple[str, ...]:
        if self.draw is None:
            return self.experts
        drawn = services.rng(record, "engines").sample(sorted(self.experts), self.draw)
        return tuple(drawn)

    async def _answer(
        self,
        record: Record,
        conversation: tuple[Message, ...],
        services: Services,
        call: tuple[int, str, int],
    ) -> Record:
        number, engine, sample = call
        expert = {"expert": engine}
        asked = conversation
        if self._answer_principles:
            rng = services.rng(record, f"principle of answer {number}")
            principle = drawn_principle(self._answer_principles, rng)
            expert["principle"] = principle
            asked = with_system(conversation, principle)
        try:
            said = await services.complete(
                engine,
                Chat(asked),
                self.sampling,
                record,
                step=f"answer {engine}",
                sample=sample,
            )
            reply = turn_of(*whole_reply(said, "answer"))
        except CallFailed as failed:
            child = failed_child(record, services, number, failed, messages=conversation)
            return child.adding(expert)
        except MalformedError as wrong:
            return malformed_child(
                record, services, number, wrong.raw, wrong, messages=conversation, fields=expert
            )
        messages = (*conversation, reply)
        return record.child(services.label, number, messages=messages, fields=expert)

    def _placed(
        self,
        children: list[Record],
        scores: dict[int, Score],
        services: Services,
        record: Record,
    ) -> list[Record]:
        known = {number: one.score for number, one in scores.items() if one.score is not None}
        random = self.rejected == "random"
        drawn = services.rng(record, "rejected").random() if random else None
        place = places(known, min_gap=self.min_gap, drawn=drawn) if known else {}
        made: list[Record] = []
        for number, child in enumerate(children):
            if number in known:
                told = {"score": known[number], "place": place[number]}
                made.append(child.adding(scores[number].fields | told))
            else:
                alone = self.how == "compare" and len(scores) == 1
                made.append(_unrated(child, scores.get(number), services.label, alone=alone))
        return made


def _unrated(child: Record, score: Score | None, label: str, *, alone: bool) -> Record:
    """Return the drop of an answer without a score; one that is no answer as it is."""
    if score is None:
        return child
    if score.failed and not score.unread:
        return child.drop("error", by=label, reason=score.failed)
    if score.unread:
        child = child.adding({"raw_reply": "\n\n".join(score.unread)})
    why = "there is no other answer to compare it with" if alone else "no judgement can be read"
    return child.drop("filter", by=label, reason=f"not_rated: {why}")
