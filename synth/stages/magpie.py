"""Let an aligned model write the instruction itself, from nothing but its template."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from pydantic import Field

from synth.engine.base import Completion, Sampling, Text
from synth.errors import CallFailed, EngineRefused
from synth.prompt import names_of
from synth.record import Message, Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.replies import failed_child

_USER_TURN = "SYNTH USER TURN"
_SYSTEM_TURN = "SYNTH SYSTEM TURN"


@dataclass(frozen=True, slots=True)
class PreQuery:
    """What stands before a user turn in a model's template, and what ends the turn."""

    before: str
    """The text up to the user's words, the default system turn included."""
    end: str
    """The token that ends the turn; empty if the template has none."""


class Magpie(Stage):
    """Make `n` children of a record, each with one user turn that the model itself wrote.

    The prompt is the model's own chat template up to where the user's words begin, so that the
    model goes on as a user would; generation ends at the template's end-of-turn token. With
    `system_prompt` the model is steered to a domain; the system turn is not kept unless
    `keep_system`.

    An empty turn is a dropped child `empty_instruction`, one cut off `cut_off_instruction`.

    Method: Xu et al., "Magpie: Alignment Data Synthesis from Scratch by Prompting Aligned LLMs with
    Nothing" (2024), section 2, step 1. Use `respond` for step 2.
    """

    name: ClassVar[str] = "magpie"

    engine: str
    """Name of an engine of the recipe; it must continue raw text and show its chat template."""
    n: int = Field(default=1, ge=1)
    """Instructions for each record; every one is a call of its own."""
    sampling: Sampling = Sampling(temperature=1.0, top_p=1.0, max_tokens=2048)
    system_prompt: str | None = None
    """A Jinja file beside the recipe with the text of a system turn that steers the model."""
    keep_system: bool = False
    """Whether the system turn stays in the conversation."""

    def needs(self) -> frozenset[str]:
        """Return that the engine must continue raw text and show its chat template."""
        return frozenset({"text", "chat_text"})

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the `n` children."""
        system = self._system(record, services)
        query = await services.resource(
            f"pre-query|{self.engine}|{system is not None}",
            lambda: pre_query(self.engine, services, steered=system is not None),
        )
        before = query.before if system is None else query.before.replace(_SYSTEM_TURN, system)
        sampling = self.sampling.model_copy(
            update={"stop": tuple(dict.fromkeys(filter(None, (*self.sampling.stop, query.end))))}
        )
        prompt = Text(before, add_special_tokens=False)
        kept = () if system is None or not self.keep_system else (_system_turn(system),)
        asked = (prompt, sampling)
        return await asyncio.gather(
            *(self._child(record, asked, kept, sample, services) for sample in range(self.n))
        )

    def _system(self, record: Record, services: Services) -> str | None:
        if "system_prompt" not in services.prompts:
            return None
        return services.prompts["system_prompt"].render(names_of(record))[0]["content"]

    async def _child(
        self,
        record: Record,
        asked: tuple[Text, Sampling],
        kept: tuple[Message, ...],
        sample: int,
        services: Services,
    ) -> Record:
        try:
            completion = await services.complete(
                self.engine, *asked, record, step="instruction", sample=sample
            )
        except CallFailed as failed:
            return failed_child(record, services, sample, failed)
        turn = Message(role="user", content=completion.text.strip())
        child = record.child(services.label, sample, messages=(*kept, turn))
        reason = _unusable(completion)
        return child.drop("filter", by=services.label, reason=reason) if reason else child


def _system_turn(text: str) -> Message:
    return Message(role="system", content=text)


def _unusable(completion: Completion) -> str:
    if not completion.text.strip():
        return "empty_instruction: the model ended the user turn at once"
    if completion.finish_reason == "length":
        return "cut_off_instruction: the user turn did not end within `max_tokens`"
    return ""


async def pre_query(engine: str, services: Services, *, steered: bool) -> PreQuery:
    """Return what the template puts around a user turn; `steered` leaves room for a system turn.

    Raises EngineRefused if the template does not show a user's words as they are.
    """
    turns = [Message(role="user", content=_USER_TURN)]
    if steered:
        turns.insert(0, _system_turn(_SYSTEM_TURN))
    template = services.engine(engine)
    written = await template.chat_text(turns, reply_next=False)
    before, found, after = written.partition(_USER_TURN)
    if not found or (steered and _SYSTEM_TURN not in before):
        what = "a system turn" if found else "the user turn"
        raise EngineRefused(
            f"the chat template of engine {engine!r} does not show {what} as it is; "
            "Magpie cannot use this model so"
        )
    if not after.strip():
        # A template without an end-of-turn token: the user's turn ends where the reply's begins.
        after = (await template.chat_text(turns, reply_next=True)).partition(_USER_TURN)[2]
    return PreQuery(before, _first_line(after))


def _first_line(text: str) -> str:
    return next(iter(text.strip().splitlines()), "")
