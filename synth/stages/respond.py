"""Ask a model for replies: the step from a prompt to something that can be judged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from synth.answers import Answer
from synth.engine.base import Chat, Completion, Sampling
from synth.errors import CallFailed
from synth.prompt import names_of
from synth.record import Message, Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts import siblings
from synth.stages.parts.conversation import question_of
from synth.stages.parts.reasoning import Split, split, turn_of
from synth.stages.parts.replies import failed_child
from synth.stages.verify import Judges, judged


class Respond(Stage):
    """Make `n` children of a record, each with one reply of the model.

    The model is asked the record's conversation (a last assistant turn is answered anew), else its
    instruction as one user turn; or what `prompt` renders. Thinking that a reply begins with goes
    into the turn's `reasoning`. An empty reply is a dropped child `empty_reply`, one whose thinking
    never ends `unfinished_reasoning`; a reply cut off at `max_tokens` stays, with the field
    `finish_reason: length`.

    With `engines` each record goes to the expert for its domain, the value of the field `route_by`;
    the child's field `expert` names it. A record of a domain without an expert is dropped as
    `no_expert`, unless there is one for `"*"`. Routing prompts to domain experts: Simonds et al.,
    "MoDEM: Mixture of Domain Expert Models" (2024); here it decides who writes the data.

    Of several replies to one prompt it may choose, after `verifiers` judged them: by `pass_rate`
    the prompts that are neither too easy nor too hard (`pass_rate_too_high`, `pass_rate_too_low`;
    0.1 to 0.6 of 8 in Open-R1's reinforcement learning sets), by `vote` the replies with the answer
    that most of them give (`minority_answer`, `no_majority`, `no_answer`; self-consistency: Wang et
    al., "Self-Consistency Improves Chain of Thought Reasoning in Language Models", 2022), and by
    `best_by` the one with the highest score (`not_best`, `no_score`; best-of-n). In that order.
    """

    name: ClassVar[str] = "respond"
    takes: ClassVar = "instruction"

    engine: str | None = None
    """Name of an engine of the recipe."""
    experts: dict[str, str] = Field(default_factory=dict[str, str], alias="engines")
    """Instead of `engine`: domain to engine name, `"*"` for all other domains."""
    route_by: str = "domain"
    """The field that holds a record's domain."""
    split_reasoning: bool = True
    """Whether thinking in tags (`<think>` and others) is told apart from the answer."""
    n: int = Field(default=1, ge=1)
    """Replies for each record; every one is a call of its own."""
    sampling: Sampling = Sampling()
    prompt: str | None = None
    """A Jinja file beside the recipe, with what the model is asked."""
    conversation: Literal["record", "prompt"] = "record"
    """What the reply is joined to: the record's conversation, if any, or the rendered prompt."""
    verifiers: Judges = None
    """What judges the replies before one is chosen, spelled as in the stage `verify`."""
    pass_rate: tuple[float, float] | None = None
    """Least and greatest share of a prompt's replies that `verifiers` let pass, both included; a
    reply that could not be used counts as failed, one whose call or verifier broke not at all."""
    vote: bool = False
    """Whether only the replies with the most frequent final answer stay."""
    agreement: float = Field(default=0.0, ge=0, le=1)
    """Share of the replies with an answer that must give the most frequent one."""
    marks: tuple[str, ...] = Answer.MARKS
    """Words that mark a final answer before a colon; boxes and `####` always do."""
    best_by: str | None = None
    """Label of a verifier in `verifiers`: only the reply that it scores highest stays."""

    @model_validator(mode="after")
    def _one_way_to_an_engine(self) -> Self:
        if (self.engine is None) == (not self.experts):
            raise ValueError("wants `engine` or `engines`, one of the two")
        return self

    @model_validator(mode="after")
    def _can_choose(self) -> Self:
        choosing = [name for name in ("pass_rate", "vote", "best_by") if getattr(self, name)]
        if choosing and self.n == 1:
            raise ValueError(f"`{choosing[0]}` wants `n` of at least 2, to choose from")
        if self.agreement and not self.vote:
            raise ValueError("`agreement` wants `vote: true`")
        if self.pass_rate and not (self.verifiers and 0 <= self.pass_rate[0] <= self.pass_rate[1]):
            raise ValueError("`pass_rate` wants `verifiers`, and two shares in rising order")
        labels = [use.label for use in self.verifiers.verifiers] if self.verifiers else []
        if self.best_by is not None and self.best_by not in labels:
            named = ", ".join(labels) or "none"
            raise ValueError(
                f"`best_by` wants a label in `verifiers` ({named}), got {self.best_by!r}"
            )
        return self

    def engines(self) -> tuple[str, ...]:
        """Return the names of the engines it asks, and its verifiers."""
        asked = self.verifiers.engines() if self.verifiers else ()
        return tuple(dict.fromkeys((*self._answering, *asked)))

    @property
    def _answering(self) -> tuple[str, ...]:
        return (self.engine,) if self.engine else tuple(self.experts.values())

    def needs(self, engine: str) -> frozenset[str]:
        """Return that an engine that answers must chat."""
        return super().needs(engine) if engine in self._answering else frozenset()

    def lacks(self, record: Record) -> str:
        """Return what a record needs: nothing if the stage brings the `prompt`."""
        return "" if self.prompt else super().lacks(record)

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the `n` children."""
        own = question_of(record)
        asked = own
        if "prompt" in services.prompts:
            asked = services.prompts["prompt"].render(names_of(record))
        if not asked:
            raise ValueError("nothing_to_ask: the record has no words, and the stage no `prompt`")
        kept = asked if self.conversation == "prompt" or not own else own
        engine = self._expert(record)
        if engine is None:
            domain = record.fields.get(self.route_by)
            reason = f"no_expert: `engines` names none for {self.route_by} {domain!r}"
            return [record.drop("filter", by=services.label, reason=reason)]
        turn = _Turn(engine, asked, kept)
        return await self._chosen(await self._children(record, turn, services), services)

    async def _children(self, record: Record, turn: _Turn, services: Services) -> list[Record]:
        if self.n == 1:
            return [await self._child(record, turn, 0, services)]
        async with asyncio.TaskGroup() as tasks:
            children = [
                tasks.create_task(self._child(record, turn, sample, services))
                for sample in range(self.n)
            ]
        return [child.result() for child in children]

    async def _chosen(self, children: list[Record], services: Services) -> list[Record]:
        if self.verifiers:
            children = await judged(children, self.verifiers, services)
        if self.pass_rate:
            children = siblings.within(children, self.pass_rate, services.label)
        if self.vote:
            children = siblings.agreeing(children, self.agreement, self.marks, services.label)
        if self.best_by:
            children = siblings.best(children, self.best_by, services.label)
        return children

    def _expert(self, record: Record) -> str | None:
        """Return the engine for a record, or None."""
        domain = record.fields.get(self.route_by)
        known = self.experts.get(domain) if isinstance(domain, str) else None
        return self.engine or known or self.experts.get("*")

    async def _child(self, record: Record, turn: _Turn, sample: int, services: Services) -> Record:
        try:
            completion = await services.complete(
                turn.engine, Chat(turn.asked), self.sampling, record, sample=sample
            )
        except CallFailed as failed:
            return failed_child(record, services, sample, failed, messages=turn.kept)
        reply, wrong = self._reply(completion)
        child = record.child(
            services.label,
            sample,
            messages=(*turn.kept, reply),
            fields=self._fields(completion, turn.engine),
        )
        return child.drop("filter", by=services.label, reason=wrong) if wrong else child

    def _fields(self, completion: Completion, engine: str) -> dict[str, str] | None:
        fields = {"expert": engine} if self.experts else {}
        if completion.finish_reason == "length":
            fields["finish_reason"] = "length"
        return fields or None

    def _reply(self, completion: Completion) -> tuple[Message, str]:
        """Return the assistant's turn, and why it is not kept, as `code: sentence`, or ""."""
        thought = Split(completion.reasoning or "", completion.text.strip(), finished=True)
        if self.split_reasoning and not completion.reasoning:
            thought = split(completion.text)
        reply = turn_of(thought.answer, thought.reasoning)
        if completion.tool_calls:
            reply["tool_calls"] = [dict(call) for call in completion.tool_calls]
        if not thought.finished:
            return reply, "unfinished_reasoning: the model was still thinking when it stopped"
        if not reply["content"] and not completion.tool_calls:
            return reply, "empty_reply: the model returned no text"
        return reply, ""


@dataclass(frozen=True, slots=True)
class _Turn:
    """What is asked of whom, and what the reply is joined to."""

    engine: str
    asked: tuple[Message, ...]
    kept: tuple[Message, ...]
