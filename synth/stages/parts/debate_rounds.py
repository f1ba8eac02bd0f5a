"""The rounds of a debate: who sits there, what each one is shown, and what each one says.

In each round after the first a specialist sees its own conversation so far and what the others said
in the round before, nothing older and nobody's thoughts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from synth.engine.base import Chat, Sampling
from synth.errors import CallFailed
from synth.frozen import Frozen
from synth.prompt import names_of
from synth.record import Message, Record
from synth.services import Services
from synth.stages.parts.conversation import question_of
from synth.stages.parts.debate_answers import Reading, Said, said_in


class Specialist(Frozen):
    """One who takes part in a debate."""

    name: str = Field(min_length=1)
    """What it is called in fields; without `system` or `prompt`, one that comes with the stage."""
    engine: str | None = None
    """Name of its engine; by default that of the stage."""
    system: str | None = None
    """Its system prompt as plain text; empty for none, as in the paper."""
    prompt: str | None = None
    """Instead of `system`: a Jinja file beside the recipe."""
    sampling: Sampling | None = None
    """How its replies are drawn; by default as the stage says."""


@dataclass(slots=True)
class Seat:
    """A specialist in one debate."""

    number: int
    name: str
    engine: str
    sampling: Sampling
    turns: tuple[Message, ...]
    """Its conversation: up to the question, then whole exchanges only."""
    said: list[Said] = field(default_factory=list[Said])

    @property
    def spoke(self) -> bool:
        """Whether there is a reply of its own in its conversation."""
        return self.turns[-1]["role"] == "assistant"

    def with_turns(self, turns: tuple[Message, ...]) -> tuple[Message, ...]:
        """Return its conversation with more turns; of two user turns in a row there is one."""
        if self.spoke or turns[0]["role"] != "user":
            return (*self.turns, *turns)
        joined = f"{self.turns[-1]['content']}\n\n{turns[0]['content']}"
        return (*self.turns[:-1], Message(role="user", content=joined), *turns[1:])

    def hear(self, said: Said, asked: tuple[Message, ...]) -> None:
        """Take a round's reply; one that is none leaves the conversation as it was."""
        self.said.append(said)
        if said.text:
            self.turns = (*asked, Message(role="assistant", content=said.text))


@dataclass(frozen=True, slots=True)
class Rounds:
    """One record's debate."""

    record: Record
    services: Services
    seats: Sequence[Seat]
    reading: Reading

    async def run(self, rounds: int) -> None:
        """Let all speak `rounds` times, at once within a round."""
        for number in range(1, rounds + 1):
            asked = [self._asked(seat, number) for seat in self.seats]
            async with asyncio.TaskGroup() as tasks:
                replies = [
                    tasks.create_task(self._reply(seat, number, turns))
                    for seat, turns in zip(self.seats, asked, strict=True)
                ]
            for seat, turns, reply in zip(self.seats, asked, replies, strict=True):
                seat.hear(reply.result(), turns)

    def _asked(self, seat: Seat, number: int) -> tuple[Message, ...]:
        if number == 1:
            return seat.turns
        others = [
            other.said[-1].text for other in self.seats if other is not seat and other.said[-1].text
        ]
        if not others and not seat.spoke:
            return seat.turns
        shown: dict[str, Any] = {"others": others, "own": seat.spoke, "answers": self.reading}
        prompt = self.services.prompts["debate_prompt"]
        return seat.with_turns(prompt.render(names_of(self.record, **shown, round=number)))

    async def _reply(self, seat: Seat, number: int, asked: tuple[Message, ...]) -> Said:
        step = f"round_{number}"
        try:
            completion = await self.services.complete(
                seat.engine, Chat(asked), seat.sampling, self.record, step=step, sample=seat.number
            )
        except CallFailed as failed:
            return Said(wrong=failed.reason, failed=True)
        return said_in(completion, self.reading)


def opened(record: Record, system: str) -> tuple[Message, ...]:
    """Return how a specialist's conversation begins: before the question, which is asked anew.

    Its system prompt stands below the record's own.
    """
    before = question_of(record)[:-1]
    told = [message["content"] for message in before if message["role"] == "system"]
    told = [text for text in (*told, system.strip()) if text]
    talk = (
        Message(role=message["role"], content=message["content"])
        for message in before
        if message["role"] != "system"
    )
    head = (Message(role="system", content="\n\n".join(told)),) if told else ()
    return (*head, *talk)
