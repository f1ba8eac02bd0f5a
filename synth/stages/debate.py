"""Have specialists debate a question, and keep the reply that a vote or a judge settles on.

What cannot be read has no vote: it is never the majority, and never a loser in a pair either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from synth.engine.base import Sampling
from synth.errors import CallFailed, did_you_mean
from synth.prompt import names_of
from synth.record import Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.debate_answers import Reading, leaders, votes_of
from synth.stages.parts.debate_judge import Judge, Judged
from synth.stages.parts.debate_outcome import Outcome
from synth.stages.parts.debate_rounds import Rounds, Seat, Specialist, opened
from synth.stages.parts.replies import MalformedError
from synth.stages.parts.shipped import shipped_prompts

SHIPPED = ("solver", "checker", "explorer")
"""The specialists that come with the stage: a name, and a prompt of that name."""


class Debate(Stage):
    """Let `specialists` answer a record's question, `rounds` times, and make a child of the best.

    In each round after the first a specialist sees its own conversation and the others' replies of
    the round before, without their thinking. A reply that failed, is empty or was cut off is shown
    to nobody; one without a readable answer is shown and has no vote. Only the last round counts.

    `consensus: vote`: the answer with the most votes wins, by the reply of the first specialist who
    gave it, in the recipe's order. `consensus: judge`: `judge_engine` sees the replies that have a
    readable answer, in an order drawn at random, and picks one. It settles ties of a vote as well.

    A child has the record's question and the last reply, with the fields `specialist`,
    `final_answer` (as it is counted; the seed's `answer` stays), `votes` (each such answer with the
    names of those who gave it), `agreement` (the share of the votes for this answer), `rounds` and
    `side`: `majority` for the answer that won, though a judge may have preferred what few gave.
    The chosen child also has `debate`, all rounds, and `judge_reply`. With `pairs` those of another
    answer are children of `side: minority`; with `keep: majority` those of the same answer follow.

    Dropped children: whoever fails in the last round (`empty_reply`, `cut_off_reply`,
    `unfinished_reasoning`, `no_answer`, `unreadable_answer`, or the call's error); and one for the
    whole debate, with the fields `votes` and `debate`, where nothing comes of it: `too_few_answers`
    (fewer than two), `no_consensus` (a tie, or a judge who accepts none), and a judge who cannot be
    read (`no_choice`, `no_number`, `out_of_range`, `empty_verdict`, `cut_off_verdict`).

    `mode: paper` drops a tied vote, unless there is a judge; `mode: reference`, as the authors'
    code, takes the answer that is seen first. That code also counts an answer that it cannot read
    as right when it evaluates; nothing here does.

    Method: Du et al., "Improving Factuality and Reasoning in Language Models through Multiagent
    Debate" (2023), section 2. There the specialists are one model without system prompts.
    """

    name: ClassVar[str] = "debate"
    takes: ClassVar = "instruction"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("debate")

    engine: str | None = None
    """Name of the engine of the specialists that name none."""
    specialists: tuple[Specialist, ...] = Field(
        default=tuple(Specialist(name=name) for name in SHIPPED), min_length=2
    )
    """Who debates; by default solver, checker and explorer, which come with the stage."""
    rounds: int = Field(default=2, ge=1)
    """How often each of them answers."""
    consensus: Literal["vote", "judge"] = "vote"
    """What settles the debate."""
    mode: Literal["paper", "reference"] = "paper"
    """What becomes of a tied vote."""
    answers: Reading = "marked"
    r"""`marked`: what follows the last `Answer:`, `\boxed{` or `####`; equal numbers are equal
    answers, and so are words in any case. `number`: that, or the last number of the reply, as in
    the authors' code. `choice`: a letter from A to J, marked, or the last one in brackets. `none`,
    for open questions: nothing is read, and a judge decides."""
    pairs: bool = False
    """Whether last replies with another answer leave too, as the minority."""
    keep: Literal["chosen", "majority"] = "chosen"
    """Whether last replies with the same answer as the chosen one leave too."""
    transcript: bool = True
    """Whether the field `debate` is kept: all rounds' texts, on one child of a record."""
    judge_engine: str | None = None
    """Name of the judge's engine; it must be named for `consensus: judge`."""
    sampling: Sampling = Sampling(temperature=1.0, max_tokens=2048)
    """How replies are drawn."""
    judge_sampling: Sampling = Sampling(temperature=0.0, max_tokens=2048)
    """How the judge's reply is drawn."""
    question_prompt: str | None = None
    """A Jinja file beside the recipe: shows `instruction`, asks for an answer as `answers` reads
    it."""
    debate_prompt: str | None = None
    """A Jinja file beside the recipe: shows `others`, the replies of the round before (there may be
    none), and asks for an answer anew; `own` is false where the specialist has not answered yet."""
    judge_prompt: str | None = None
    """A Jinja file beside the recipe: shows `before` (the turns above the question), `instruction`
    and `replies`, and asks for a last line `Best: 2`, or 0 for none."""

    @model_validator(mode="after")
    def _everybody_can_speak(self) -> Self:
        names = [one.name for one in self.specialists]
        if doubled := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two specialists have the name {doubled[0]!r}; give each its own")
        for one in self.specialists:
            if not (one.engine or self.engine):
                raise ValueError(f"the specialist {one.name!r} has no engine; write `engine`")
            if problem := _problem(one):
                raise ValueError(problem)
        return self

    @model_validator(mode="after")
    def _options_suit_each_other(self) -> Self:
        if self.consensus == "judge" and not self.judge_engine:
            raise ValueError("`consensus: judge` wants `judge_engine`")
        if self.consensus == "vote" and self.mode == "reference" and self.judge_engine:
            raise ValueError("in `mode: reference` the first answer wins a tie: no `judge_engine`")
        compares = self.consensus == "vote" or self.pairs or self.keep == "majority"
        if self.answers == "none" and compares:
            raise ValueError("`vote`, `pairs` and `keep: majority` want `answers` to compare")
        return self

    def engines(self) -> tuple[str, ...]:
        """Return the engines of the specialists, and the judge's."""
        asked = [one.engine or self.engine for one in self.specialists]
        return tuple(dict.fromkeys(name for name in (*asked, self.judge_engine) if name))

    def prompt_files(self) -> dict[str, str]:
        """Return the files of the recipe: those of the stage, and its own specialists'."""
        own = {one.name: one.prompt for one in self.specialists if one.prompt is not None}
        return {**super().prompt_files(), **own}

    def prompts_used(self) -> set[str]:
        """Return the prompts of those who speak, of rounds that take place, of a judge there is."""
        speaking = {one.name for one in self.specialists if one.system is None}
        later = {"debate_prompt"} if self.rounds > 1 else set[str]()
        judging = {"judge_prompt"} if self.judge_engine else set[str]()
        return {"question_prompt", *speaking, *later, *judging}

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the chosen reply, what leaves beside it, and what was wrong with others."""
        if not record.instruction:
            raise ValueError("nothing_to_debate: the record asks nothing")
        seats = self._seats(record, services)
        await Rounds(record, services, seats, self.answers).run(self.rounds)
        outcome = Outcome(record, services, seats, self.transcript)
        children = [outcome.wrong(number) for number, said in enumerate(outcome.last) if said.wrong]
        try:
            chosen = await self._chosen(outcome)
        except (CallFailed, MalformedError) as nobody:
            return [*children, outcome.nothing(nobody)]
        children += [outcome.reply(number, chosen) for number in self._leaving(outcome, chosen)]
        return sorted(children, key=lambda child: child.position)

    def _seats(self, record: Record, services: Services) -> list[Seat]:
        asked = services.prompts["question_prompt"].render(names_of(record, answers=self.answers))
        return [
            Seat(
                number,
                one.name,
                one.engine or self.engine or "",
                one.sampling or self.sampling,
                (*opened(record, _system(one, record, services)), *asked),
            )
            for number, one in enumerate(self.specialists)
        ]

    async def _chosen(self, outcome: Outcome) -> Judged:
        """Return whose reply wins. Raises MalformedError with the reason why nobody's does."""
        counted = [number for number, said in enumerate(outcome.last) if not said.wrong]
        if len(counted) < 2:
            found = f"{len(counted)} of {len(outcome.last)} specialists"
            raise MalformedError(f"too_few_answers: {found} gave one in the last round, wants 2")
        if self.consensus == "judge":
            return await self._judged(outcome, counted)
        votes = votes_of(outcome.last)
        first, *tied = leaders(votes)
        if not tied or self.mode == "reference":
            return Judged(votes[first][0])
        if self.judge_engine:
            return await self._judged(outcome, [votes[answer][0] for answer in (first, *tied)])
        found = " and ".join(map(repr, (first, *tied)))
        raise MalformedError(f"no_consensus: the most votes, {len(votes[first])}, are for {found}")

    async def _judged(self, outcome: Outcome, numbers: Sequence[int]) -> Judged:
        judge = Judge(self.judge_engine or "", self.judge_sampling)
        replies = {number: outcome.last[number].text for number in numbers}
        return await judge.pick(outcome.record, replies, outcome.services)

    def _leaving(self, outcome: Outcome, chosen: Judged) -> list[int]:
        """Return whose last replies become live children."""
        return [
            number
            for number, said in enumerate(outcome.last)
            if number == chosen.number
            or (not said.wrong and self._also(agrees=outcome.agrees(number, chosen.number)))
        ]

    def _also(self, *, agrees: bool) -> bool:
        return self.keep == "majority" if agrees else self.pairs


def _system(one: Specialist, record: Record, services: Services) -> str:
    if one.system is not None:
        return one.system
    rendered = services.prompts[one.name].render(names_of(record))
    return "\n\n".join(message["content"] for message in rendered)


def _problem(one: Specialist) -> str:
    """Return what is wrong with the way a specialist is told who it is, or ""."""
    if one.name.endswith("_prompt"):
        return f"a specialist cannot be called {one.name!r}: the stage has prompts of such names"
    if one.system is not None and one.prompt is not None:
        return f"the specialist {one.name!r} has `system` and `prompt`; write one of the two"
    if one.system is None and one.prompt is None and one.name not in SHIPPED:
        hint = did_you_mean(one.name, SHIPPED)
        own = 'Give one of your own `system` or `prompt`; `system: ""` is none.'
        return f"no specialist {one.name!r} comes with the stage. {hint} {own}"
    return ""
