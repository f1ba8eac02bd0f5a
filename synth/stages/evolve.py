"""Make instructions harder, or replies better, by rewriting them round after round.

An operator is a name and a prompt. Each round draws one for each instruction; what an elimination
rule throws away leaves as a dropped child, and the text it came from is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import BeforeValidator, Field, model_validator

from synth.engine.base import Chat, Sampling
from synth.errors import CallFailed
from synth.frozen import spelled
from synth.prompt import names_of
from synth.record import Message, Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.conversation import asking
from synth.stages.parts.elimination import Elimination
from synth.stages.parts.operators import FAMILIES, JUDGE, ROUNDS, Operators, chosen_operators, draw
from synth.stages.parts.reasoning import split, turn_of
from synth.stages.parts.replies import MalformedError, answer_in, choice_in, passed_over
from synth.stages.parts.shipped import shipped_prompts

_REFERENCE: dict[str, Any] = {
    "operators": [name for name in FAMILIES["wizardlm"] if name != "complicate_input"],
    "rounds": 1,
    "sampling": {"temperature": 1.0, "top_p": 0.95, "max_tokens": 2048},
}
_NO_RULES = dict.fromkeys(
    ("no_information_gain", "short_apology", "no_content", "prompt_leak"), False
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One round of one record."""

    record: Record
    """What the stage was given."""
    current: Record
    """What this round rewrites: the last evolution that was kept, else `record`."""
    operator: str
    round: int
    """From 1."""

    def child(self, label: str, messages: Sequence[Message] | None = None, **fields: Any) -> Record:
        """Return the child that this round makes; the same one, however often it is written."""
        above = () if self.current is self.record else (self.current,)
        if messages is not None and "finish_reason" in self.record.fields:
            fields = {"finish_reason": "stop", **fields}  # the old reply's is not the new one's
        return self.record.child(
            label,
            self.round,
            messages=self.current.messages if messages is None else messages,
            fields={"operator": self.operator, "round": self.round, **fields},
            parents=above,
        )


class Evolve(Stage):
    """Rewrite a record's instruction (or reply) `rounds` times, one operator drawn evenly each.

    Every round that succeeds makes a child with the fields `operator` and `round`, the rewritten
    instruction as its last user turn and a reply that the stage asks for. A round that fails makes
    a dropped child, and the next one tries again with the text as it was. `keep: all` lets the
    record itself and all evolutions go on (the paper's pool), `keep: last` only what the last
    successful round made: the record itself if none was.

    Dropped, by the rules in `eliminate`: `no_information_gain` (a judge finds the text equal to the
    one before), `short_apology` ("sorry" in a reply of under 80 words), `no_content` (a reply of
    punctuation and stop words), `prompt_leak` (words of the prompt in the text); on demand
    `evolution_failure` (a reply that asks back). Always: `empty_evolution`, `cut_off_evolution`,
    `empty_reply`, `unfinished_reasoning`, and `no_choice` for a judge that cannot be read. A reply
    cut off stays, with the field `finish_reason: length`. Thinking is no part of an instruction,
    and of a reply it is the `reasoning`.

    `mode: paper` has six operators, four rounds, all rules and top_p 0.9; `mode: reference`, as the
    released code: five (no `complicate_input`), one round, no rules, top_p 0.95. What a recipe
    spells out counts in both.

    Method: Xu et al., "WizardLM: Empowering Large Language Models to Follow Complex Instructions"
    (2023), section 3. `wizardcoder`: Luo et al., "WizardCoder: Empowering Code Large Language
    Models with Evol-Instruct" (2023), section 3: three rounds. `wizardmath`: Luo et al.,
    "WizardMath: Empowering Mathematical Reasoning for Large Language Models via Reinforced
    Evol-Instruct" (2023): eight. `quality`: Liu et al., "What Makes Good Data for Alignment?"
    (2023), on the evolution of quality: five. `evolution_failure`: Zeng et al., "Automatic
    Instruction Evolving for Large Language Models" (2024), its rules on replies.
    """

    name: ClassVar[str] = "evolve"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("evolve")

    engine: str
    """Name of the engine that rewrites."""
    mode: Literal["paper", "reference"] = "paper"
    """Whose defaults hold: those of the paper or those of the released code."""
    operators: Annotated[Operators, BeforeValidator(chosen_operators)] = Field(
        default=cast("Any", "wizardlm")
    )
    """`wizardlm`, `wizardcoder`, `wizardmath`, `quality`; or a list of those and of single
    operators; or `name: file.jinja` for each of your own."""
    of: Literal["instruction", "reply"] | None = None
    """What is rewritten. By default what the operators are for; your own: the instruction."""
    rounds: int = Field(default=4, ge=1)
    """How many times a record is evolved (M in the paper); by default 3 with `wizardcoder`, 8 with
    `wizardmath`, 5 with `quality`."""
    keep: Literal["all", "last"] = "all"
    """Which go on: the record and every evolution, or only the last."""
    eliminate: Elimination = Elimination()
    """Which elimination rules hold."""
    reply: bool = True
    """Whether an evolved instruction is answered; if not, two rules have nothing to look at."""
    reply_engine: str | None = None
    """Name of the engine that answers; by default `engine`."""
    judge_engine: str | None = None
    """Name of the engine that compares; by default `engine`."""
    sampling: Sampling = Sampling(temperature=1.0, top_p=0.9, max_tokens=2048)
    """How rewritings and replies are drawn."""
    judge_sampling: Sampling = Sampling(temperature=0.0, max_tokens=1024)
    """How the judge's answer is drawn."""
    judge_prompt: str | None = None
    """A Jinja file beside the recipe that shows `before`, `after` and `of`, and asks for "Equal" or
    "Not equal"."""

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, written: Any) -> Any:
        if (given := spelled(written)) is None:
            return written
        if given.get("mode") != "reference":
            family = given.get("operators")
            rounds = ROUNDS.get(family) if isinstance(family, str) else None
            return {"rounds": rounds, **given} if rounds else given
        rules = given.get("eliminate", {})
        if isinstance(rules, Mapping):
            rules = {**_NO_RULES, **cast("Mapping[str, Any]", rules)}
        return {**_REFERENCE, **given, "eliminate": rules}

    @model_validator(mode="after")
    def _operators_suit_each_other(self) -> Self:
        for name, file in self.operators.items():
            wanted = "reply" if name in FAMILIES["quality"] else "instruction"
            if file is None and wanted != self.rewrites:
                raise ValueError(
                    f"the operator {name!r} is for the {wanted}, and this stage rewrites the "
                    f"{self.rewrites}; give each kind a stage of its own"
                )
        return self

    @property
    def rewrites(self) -> Literal["instruction", "reply"]:
        """What the stage rewrites."""
        shipped = {name for name, file in self.operators.items() if file is None}
        return self.of or ("reply" if shipped & {*FAMILIES["quality"]} else "instruction")

    def engines(self) -> tuple[str, ...]:
        """Return the engines that rewrite, answer and judge."""
        asked = (self.engine, self.reply_engine, self.judge_engine)
        return tuple(dict.fromkeys(name for name in asked if name))

    def prompt_files(self) -> dict[str, str]:
        """Return the files of the recipe: its own operators', and the judge's."""
        own = {name: file for name, file in self.operators.items() if file is not None}
        return {**super().prompt_files(), **own}

    def prompts_used(self) -> set[str]:
        """Return the operators drawn from, and the judge's prompt if there is a judge."""
        return {*self.operators, *([JUDGE] if self.eliminate.no_information_gain else [])}

    def lacks(self, record: Record) -> str:
        """Return what a record needs: what is rewritten."""
        found = record.reply if self.rewrites == "reply" else record.instruction
        return "" if found.strip() else f"the {self.rewrites} to rewrite"

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the record and its evolutions, the eliminated ones as drops."""
        if not (record.reply if self.rewrites == "reply" else record.instruction):
            raise ValueError(f"nothing_to_evolve: the record has no {self.rewrites}")
        if self.rewrites == "reply" and record.messages[-1].get("tool_calls"):
            raise ValueError("nothing_to_evolve: the reply calls tools, which no text replaces")
        current, evolved = record, list[Record]()
        for number in range(1, self.rounds + 1):
            operator = draw(self.operators, services.rng(record, f"round {number}"))
            attempt = Attempt(record, current, operator, number)
            evolved.append(await self._evolved(attempt, services))
            current = evolved[-1] if evolved[-1].state == "live" else current
        if self.keep == "all":
            return [record, *evolved]
        first = [record] if current is record else []
        return [*first, *(passed_over(one, current) for one in evolved)]

    async def _evolved(self, attempt: Attempt, services: Services) -> Record:
        """Return what a round makes: a live child, or a dropped one with the reason."""
        child = attempt.child(services.label)
        try:
            child = await self._rewritten(attempt, services)
            for step in (self._compared, self._answered):
                if child.state == "live":
                    child = await step(attempt, child, services)
        except CallFailed as failed:
            return child.drop("error", by=services.label, reason=failed.reason)
        wrong = self._unfit_reply(child) if child.state == "live" else ""
        return child.drop("filter", by=services.label, reason=wrong) if wrong else child

    async def _rewritten(self, attempt: Attempt, services: Services) -> Record:
        prompt = services.prompts[attempt.operator].render(names_of(attempt.current))
        step = f"evolve {attempt.round}"
        said = await services.complete(
            self.engine, Chat(prompt), self.sampling, attempt.record, step=step
        )
        try:
            text = answer_in(said, "evolution")
        except MalformedError as wrong:
            child = attempt.child(services.label, raw_reply=said.text)
            return child.drop("filter", by=services.label, reason=str(wrong))
        child = attempt.child(services.label, self._conversation(attempt.current, text))
        leak = self.eliminate.leak(text, self._subject(attempt.current))
        return child.drop("filter", by=services.label, reason=leak) if leak else child

    def _subject(self, record: Record) -> str:
        return record.reply if self.rewrites == "reply" else record.instruction

    def _conversation(self, record: Record, text: str) -> tuple[Message, ...]:
        """Return the record's conversation with `text` in place of what is rewritten."""
        if self.rewrites == "reply":
            return (*record.messages[:-1], Message(role="assistant", content=text))
        return asking(record.messages, text)

    async def _compared(self, attempt: Attempt, child: Record, services: Services) -> Record:
        """Return the child, dropped if it says nothing new."""
        if not self.eliminate.no_information_gain:
            return child
        before, after = self._subject(attempt.current), self._subject(child)
        said = "equal" if after == before else await self._judgement(attempt, child, services)
        try:
            equal = choice_in(split(said).answer, ("equal", "not equal")) == "equal"
        except MalformedError as wrong:
            unread = attempt.child(services.label, child.messages, raw_reply=said)
            return unread.drop("filter", by=services.label, reason=str(wrong))
        reason = f"no_information_gain: the {self.rewrites} is equal to the one before"
        return child.drop("filter", by=services.label, reason=reason) if equal else child

    async def _judgement(self, attempt: Attempt, child: Record, services: Services) -> str:
        names = names_of(
            attempt.current,
            before=self._subject(attempt.current),
            after=self._subject(child),
            of=self.rewrites,
        )
        asked = Chat(services.prompts[JUDGE].render(names))
        engine, step = self.judge_engine or self.engine, f"judge {attempt.round}"
        said = await services.complete(
            engine, asked, self.judge_sampling, attempt.record, step=step
        )
        return said.text

    async def _answered(self, attempt: Attempt, child: Record, services: Services) -> Record:
        """Return the child with a reply to its instruction."""
        if self.rewrites == "reply" or not self.reply:
            return child
        said = await services.complete(
            self.reply_engine or self.engine,
            Chat(child.messages),
            self.sampling,
            attempt.record,
            step=f"reply {attempt.round}",
        )
        thought = split(said.text)
        if not thought.answer:
            wrong = "empty_reply: the model returned no text"
            if not thought.finished:
                wrong = "unfinished_reasoning: the model was still thinking when it stopped"
            child = attempt.child(services.label, child.messages, raw_reply=said.text)
            return child.drop("filter", by=services.label, reason=wrong)
        reply = turn_of(thought.answer, said.reasoning or thought.reasoning)
        cut = {"finish_reason": "length"} if said.finish_reason == "length" else {}
        return attempt.child(services.label, (*child.messages, reply), **cut)

    def _unfit_reply(self, child: Record) -> str:
        if not self.reply and self.rewrites == "instruction":
            return ""
        return self.eliminate.unfit(child.reply)
