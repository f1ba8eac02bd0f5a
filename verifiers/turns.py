"""A conversation as turns: what the user asked, and what the assistant said to it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from synth import Record


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer."""

    instruction: str
    reply: str
    """What the assistant last said before the next question; "" if nothing."""


def turns_of(record: Record) -> list[Turn]:
    """Return the turns that ask something, in order.

    A record without messages that has an instruction in a field is one turn without a reply. What
    tools said, system messages, and turns of the assistant before any question are left out.
    """
    turns: list[Turn] = []
    for message in record.messages:
        if message["role"] == "user":
            turns.append(Turn(message["content"], ""))
        elif message["role"] == "assistant" and message["content"].strip() and turns:
            turns[-1] = replace(turns[-1], reply=message["content"])
    if not record.messages:
        turns.append(Turn(record.instruction, ""))
    return [turn for turn in turns if turn.instruction.strip()]
