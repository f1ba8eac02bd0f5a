"""Have a model write as many people would: one persona and one task, one text."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from synth.engine.base import Chat, Sampling
from synth.errors import CallFailed, did_you_mean
from synth.prompt import names_of
from synth.record import Message, Record, canonical
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.personas import (
    RELATIONS,
    TASKS,
    Personas,
    chosen_personas,
    drawn_persona,
    drawn_relation,
    shipped_digest,
    without_label,
)
from synth.stages.parts.repeats import same_words, without_repeats
from synth.stages.parts.replies import MalformedError, answer_in, malformed_child
from synth.stages.parts.shipped import shipped_prompts


class Persona(Stage):
    """Make `n` children of a record, each written for a persona, which stands in field `persona`.

    The persona is the record's own field `persona`, else each child's is drawn evenly from
    `personas`. The seed set `personas` is such records. The tasks `instruction`, `math`,
    `reasoning` and `code` make a user turn; the record's own instruction, if any, is shown as an
    example of the kind, and only its system turns stay. `knowledge`, `npc` and `tool` make a text,
    in the field `text`, and leave the conversation as it is.

    Two tasks make personas, as children without a conversation. `from_text` finds one for the
    record's field `text`, else its instruction. `related` finds one who stands to the record's
    persona in a relation drawn evenly from `relations`; children carry `relation` and `related_to`,
    the persona that it starts from. As many such stages in a row are as many hops; the paper takes
    six. Near duplicates among personas are for the verifier `near_duplicates`.

    A label before the text (`Math problem:`) is taken off. Dropped: `empty_text`, `cut_off_text`,
    `unfinished_reasoning`, `copied_example` (the record's own instruction, text or persona again),
    `duplicate` (the text of an earlier child of the same record).

    Method: Ge et al., "Scaling Synthetic Data Creation with 1,000,000,000 Personas" (2024),
    sections 2 and 3. `instruction`, `math` and `code` are used so by Lambert et al., "Tulu 3:
    Pushing Frontiers in Open Language Model Post-Training" (2024), whose sampling is the default.
    """

    name: ClassVar[str] = "persona"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("persona")

    engine: str
    """Name of an engine of the recipe."""
    task: str = "instruction"
    """What is made: `instruction`, `math`, `reasoning`, `code`; `knowledge`, `npc`, `tool`;
    `from_text`, `related`."""
    n: int = Field(default=1, ge=1)
    """Texts, or personas, for each record."""
    personas: Personas | None = None
    """Sentences, or a file beside the recipe: `.txt` with one a line, or rows with a column
    `persona`; by default the shipped seed set `personas`. For records without a `persona`."""
    relations: Annotated[tuple[str, ...], Field(min_length=1)] = RELATIONS
    """How the new persona stands to the old one, for `related`."""
    sampling: Sampling = Sampling(temperature=0.7, top_p=0.95, max_tokens=1024)
    """How texts are drawn."""
    prompt: str | None = None
    """A Jinja file beside the recipe instead of the task's; it is given `persona`, for `from_text`
    `text` instead, for `related` also `relation`."""

    @field_validator("task")
    @classmethod
    def _known(cls, task: str) -> str:
        if task not in TASKS:
            raise ValueError(
                f"no task {task!r}. {did_you_mean(task, TASKS)} For one of your own, name the task "
                "that it is most like, and a `prompt` file"
            )
        return task

    @model_validator(mode="after")
    def _there_are_personas(self) -> Self:
        chosen_personas(self.personas)
        if self.personas is not None and self.task == "from_text":
            raise ValueError("`task: from_text` makes personas, and takes no `personas`")
        return self

    @property
    def identity(self) -> str:
        """What its outcome depends on: all options, and the shipped personas if they are used."""
        own = self.personas is not None or self.task == "from_text"
        return canonical([self.model_dump(mode="json"), "" if own else shipped_digest()])

    def prompts_used(self) -> tuple[str, ...]:
        """Return the prompt of the task, or the recipe's own instead."""
        return ("prompt",) if self.prompt else (self.task,)

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the `n` children."""
        if self.task == "from_text" and not text_of(record):
            raise ValueError("nothing_to_read: the record has neither a text nor an instruction")
        personas = await services.resource(
            f"personas|{services.label}", lambda: chosen_personas(self.personas)
        )
        writing = [Writing(self, record, services, number) for number in range(self.n)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each.child(personas)) for each in writing]
        children = [task.result() for task in tasks]
        return without_repeats(children, services.label, said_by=self.made_of)

    def made_of(self, child: Record) -> str:
        """Return what the task made of a child: its user turn, text or persona."""
        makes = TASKS[self.task].makes
        return child.instruction if makes == "turn" else child.fields[makes]


def text_of(record: Record) -> str:
    """Return the text that a persona is found for: the field `text`, else the instruction."""
    text = record.fields.get("text")
    return text.strip() if isinstance(text, str) and text.strip() else record.instruction.strip()


@dataclass(frozen=True, slots=True)
class Writing:
    """One child of a record on its way."""

    stage: Persona
    record: Record
    services: Services
    number: int

    async def child(self, personas: tuple[str, ...]) -> Record:
        """Return the child, dropped where nothing could be made; `personas` to draw from."""
        fields = self._drawn(personas)
        try:
            return self._made(await self._said(fields), fields)
        except CallFailed as failed:
            child = self.record.child(self.services.label, self.number, fields=fields)
            return child.drop("error", by=self.services.label, reason=failed.reason)
        except MalformedError as wrong:
            return malformed_child(
                self.record, self.services, self.number, wrong.raw, wrong, fields=fields
            )

    def _drawn(self, personas: tuple[str, ...]) -> dict[str, str]:
        """Return the fields that are known before the call."""
        if self.stage.task == "from_text":
            return {}
        own = self.record.fields.get("persona")
        persona = own.strip() if isinstance(own, str) else ""
        fields = {"persona": persona or drawn_persona(personas, self._rng("persona"))}
        if self.stage.task == "related":
            fields["relation"] = drawn_relation(self.stage.relations, self._rng("relation"))
            fields["related_to"] = fields["persona"]
        return fields

    async def _said(self, fields: dict[str, str]) -> str:
        (prompt,) = self.stage.prompts_used()
        names: dict[str, Any] = dict(fields)
        if self.stage.task == "from_text":
            names["text"] = text_of(self.record)
        said = await self.services.complete(
            self.stage.engine,
            Chat(self.services.prompts[prompt].render(names_of(self.record, **names))),
            self.stage.sampling,
            self.record,
            step=self.stage.task,
            sample=self.number,
        )
        text = without_label(answer_in(said, "text"), TASKS[self.stage.task].labels)
        if not text:
            raise MalformedError("empty_text: the model wrote a label alone", raw=said.text)
        before = (self.record.instruction, text_of(self.record), fields.get("persona", ""))
        if same_words(text) in map(same_words, before):
            wrong = "copied_example: the text is what the model was shown"
            raise MalformedError(wrong, raw=said.text)
        return text

    def _made(self, text: str, fields: dict[str, str]) -> Record:
        label, number = self.services.label, self.number
        match TASKS[self.stage.task].makes:
            case "turn":
                system = [turn for turn in self.record.messages if turn["role"] == "system"]
                turns = (*system, Message(role="user", content=text))
                return self.record.child(label, number, messages=turns, fields=fields)
            case "text":
                return self.record.child(label, number, fields={**fields, "text": text})
            case "persona":
                kept = {**fields, "persona": text}
                return self.record.child(label, number, messages=(), fields=kept)

    def _rng(self, what: str) -> random.Random:
        return self.services.rng(self.record, what, str(self.number))
