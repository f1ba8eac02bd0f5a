"""A conversation as exchanges: what the assistant said, and all that stood before it."""

from __future__ import annotations

from dataclasses import dataclass

from synth import Message, Record


@dataclass(frozen=True, slots=True)
class Exchange:
    """A user's turn and the reply to it."""

    instruction: str
    reply: str
    """May be blank."""
    before: tuple[Message, ...]
    """Every message before the reply, the user's turn among them."""


def exchanges_of(record: Record) -> list[Exchange]:
    """Return each user's turn with what the assistant last said before the next one, in order.

    Turns that nobody answered are left out, and so is what the assistant said before any turn.
    """
    found: list[Exchange] = []
    asked = ""
    answered = False
    for place, message in enumerate(record.messages):
        if message["role"] == "user":
            asked, answered = message["content"], False
        elif message["role"] == "assistant" and asked.strip():
            if answered and not message["content"].strip():
                continue
            if answered:
                found.pop()
            found.append(Exchange(asked, message["content"], record.messages[:place]))
            answered = True
    return found
