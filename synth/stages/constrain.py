"""Add to an instruction what its answer must be like, in ways that a program can check."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from synth.engine.base import Chat, Sampling
from synth.errors import CallFailed
from synth.prompt import names_of
from synth.record import Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.constraint_sets import (
    Constraint,
    chosen_kinds,
    drawn_constraint,
    drawn_kinds,
    usable_kinds,
)
from synth.stages.parts.conversation import asking
from synth.stages.parts.repeats import same_words, without_repeats
from synth.stages.parts.replies import MalformedError, answer_in, failed_child, malformed_child
from synth.stages.parts.shipped import shipped_prompts

_REPEAT = "combination:repeat_prompt"


class Constrain(Stage):
    """Make `n` children of a record, each with `least` to `most` constraints on the answer.

    How many is drawn evenly; so is the first constraint, from the catalogue or `kinds`, and each
    further one from those that one answer can meet beside the ones drawn. Arguments are drawn
    evenly within sensible bounds. Words that the answer must use are content words of the
    instruction, words that it must avoid come from a list of words that no subject needs: no call
    is made for either. Where an instruction has no content word, kinds that want one are left out.

    The field `constraints` holds `{id, arguments}` for each, with the names of IFEval's checkers.
    `join: append` puts their sentences, in English, below the last user turn; with `join: rewrite`
    the `engine` weaves them into it (and `combination:repeat_prompt` is left out, for there is then
    no request without them). The turns after the last user turn, which answer the old instruction,
    are left behind.

    With `relaxed`, a child of two constraints or more has a sibling for the rejected side of a
    pair: the same conversation and `constraints`, `side: relaxed` instead of `strict`, and in
    `relaxed` the id of a constraint, drawn evenly, that its reply need not meet. What to ask the
    model stands in `asks`: on the strict side the instruction, on the relaxed side the one without
    that constraint. So `respond` with a `prompt` file of `{{ asks }}` writes both replies to one
    conversation, the verifier `field: {of: side, equals: strict}` drops the relaxed ones, and
    `export: dpo` with `rejected_by` pairs them. Whether a relaxed reply really breaks its
    constraint, and a strict one none, is for a verifier to say.

    Dropped: `too_few_constraints` (the record: fewer than `least` can be made for it), and children
    of a rewriting: `empty_instruction`, `cut_off_instruction`, `unfinished_reasoning`,
    `lost_constraint` (a word that a constraint names is not in the text). Of the `n` children,
    those that say what an earlier one says: `duplicate`.

    Method: Lambert et al., "Tulu 3: Pushing Frontiers in Open Language Model Post-Training" (2024),
    the persona data for precise instruction following: one to three of 25 types, the rejected side
    by a relaxed prompt. Constraints: Zhou et al., "Instruction-Following Evaluation for Large
    Language Models" (2023).
    """

    name: ClassVar[str] = "constrain"
    takes: ClassVar = "instruction"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("constrain")

    engine: str | None = None
    """Name of the engine that rewrites; for `join: rewrite` alone."""
    kinds: tuple[str, ...] = ()
    """Ids of constraints, or their groups such as `keywords`; by default all 25."""
    least: int = Field(default=1, ge=1, le=5)
    """Fewest constraints on an instruction."""
    most: int = Field(default=3, ge=1, le=5)
    """Most constraints on an instruction; fewer where no more of `kinds` fit together."""
    n: int = Field(default=1, ge=1)
    """Constrained instructions for each record."""
    join: Literal["append", "rewrite"] = "append"
    """Whether sentences are put below the instruction, or a model weaves them in."""
    relaxed: bool = False
    """Whether to make the sibling for the rejected side."""
    sampling: Sampling = Sampling(temperature=0.7, top_p=0.95, max_tokens=2048)
    """How rewritings are drawn."""
    rewrite_prompt: str | None = None
    """A Jinja file beside the recipe; it is given `sentences`, one for each constraint."""

    @field_validator("kinds")
    @classmethod
    def _known(cls, kinds: tuple[str, ...]) -> tuple[str, ...]:
        return chosen_kinds(kinds) if kinds else kinds

    @model_validator(mode="after")
    def _options_suit_each_other(self) -> Self:
        if (self.join == "rewrite") != (self.engine is not None):
            raise ValueError("`join: rewrite` wants an `engine`, `join: append` none")
        if self.least > self.most:
            raise ValueError(f"wants `least` up to `most`, got {self.least} and {self.most}")
        if self.relaxed and self.most < 2:
            raise ValueError("`relaxed` wants `most` of at least 2: one constraint stays as it is")
        if self.join == "rewrite" and _REPEAT in self.kinds:
            raise ValueError(f"`kinds` cannot have {_REPEAT!r} with `join: rewrite`; leave it out")
        # The longest set there is does not depend on what is drawn.
        found = len(drawn_kinds(self._pool, self.least, random.Random(0)))  # noqa: S311
        if found < self.least:
            raise ValueError(
                f"`least: {self.least}` wants as many `kinds` that one answer can meet together, "
                f"found {found}; name more"
            )
        return self

    @property
    def _pool(self) -> list[str]:
        kinds = chosen_kinds(self.kinds)
        return [kind for kind in kinds if self.join == "append" or kind != _REPEAT]

    def prompts_used(self) -> tuple[str, ...]:
        """Return the prompt of a rewriting, if there is any."""
        return ("rewrite_prompt",) if self.join == "rewrite" else ()

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the `n` children, and their siblings."""
        if not record.instruction.strip():
            raise ValueError("nothing_to_constrain: the record has no instruction")
        if "constraints" in record.fields:
            raise ValueError(
                "already_constrained: the record has a field `constraints`, which must not get lost"
            )
        kinds = usable_kinds(self._pool, record.instruction)
        drawn = [self._drawn(record, kinds, services, number) for number in range(self.n)]
        if len(drawn[0]) < self.least:
            reason = f"too_few_constraints: {len(drawn[0])} could be made, wanted {self.least}"
            return [record.drop("filter", by=services.label, reason=reason)]
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(Constraining(self, record, services, number, made).children())
                for number, made in enumerate(drawn)
            ]
        children = sorted((one for task in tasks for one in task.result()), key=_position)
        return without_repeats(children, services.label, said_by=_side_and_text)

    def _drawn(
        self, record: Record, kinds: Sequence[str], services: Services, number: int
    ) -> tuple[Constraint, ...]:
        rng = services.rng(record, "constraints", str(number))
        chosen = drawn_kinds(kinds, rng.randint(self.least, self.most), rng)
        return tuple(drawn_constraint(kind, record.instruction, rng) for kind in chosen)


def _position(record: Record) -> tuple[int, ...]:
    return record.position


def _side_and_text(child: Record) -> str:
    parts = (child.fields.get("side", ""), child.fields.get("asks", ""), child.instruction)
    return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Constraining:
    """One set of constraints on its way into the instruction of a record."""

    stage: Constrain
    record: Record
    services: Services
    number: int
    constraints: tuple[Constraint, ...]

    async def children(self) -> list[Record]:
        """Return the child, and its relaxed sibling if there is to be one."""
        try:
            strict = await self._joined(self.constraints, "rewrite")
        except CallFailed as failed:
            return [failed_child(self.record, self.services, self.number, failed)]
        except MalformedError as wrong:
            return [self._malformed(self.number, wrong, side={})]
        if not self.stage.relaxed:
            return [self._child(self.number, strict)]
        child = self._child(self.number, strict, side="strict", asks=strict)
        return [child, *([await self._relaxed(strict)] if len(self.constraints) > 1 else [])]

    async def _relaxed(self, strict: str) -> Record:
        rng = self.services.rng(self.record, "relaxed", str(self.number))
        left_out = rng.choice(self.constraints)
        kept = tuple(one for one in self.constraints if one is not left_out)
        number = self.stage.n + self.number
        side = {"side": "relaxed", "relaxed": left_out.id}
        try:
            asks = await self._joined(kept, "relaxed")
        except CallFailed as failed:
            return failed_child(self.record, self.services, number, failed)
        except MalformedError as wrong:
            return self._malformed(number, wrong, side=side)
        return self._child(number, strict, asks=asks, **side)

    async def _joined(self, constraints: Sequence[Constraint], step: str) -> str:
        """Return the instruction with the constraints; `step` names the call if there is one."""
        instruction = self.record.instruction.strip()
        sentences = [one.sentence for one in constraints]
        engine = self.stage.engine
        if engine is None:
            return f"{instruction}\n\n{' '.join(sentences)}"
        prompt = self.services.prompts["rewrite_prompt"]
        said = await self.services.complete(
            engine,
            Chat(prompt.render(names_of(self.record, sentences=sentences))),
            self.stage.sampling,
            self.record,
            step=step,
            sample=self.number,
        )
        text = answer_in(said, "instruction")
        for one in constraints:
            _refuse_lost(one, text, raw=said.text)
        return text

    def _child(self, number: int, instruction: str, **fields: str) -> Record:
        constraints = [one.as_json() for one in self.constraints]
        return self.record.child(
            self.services.label,
            number,
            messages=asking(self.record.messages, instruction),
            fields={"constraints": constraints, **fields},
        )

    def _malformed(self, number: int, wrong: MalformedError, *, side: dict[str, str]) -> Record:
        constraints: list[dict[str, Any]] = [one.as_json() for one in self.constraints]
        fields = {"constraints": constraints, **side}
        return malformed_child(self.record, self.services, number, wrong.raw, wrong, fields=fields)


def _refuse_lost(constraint: Constraint, text: str, *, raw: str) -> None:
    for words in constraint.verbatim():
        if same_words(words) not in same_words(text):
            reason = f"lost_constraint: {constraint.id} wants {words!r}, which is not in the text"
            raise MalformedError(reason, raw=raw)
