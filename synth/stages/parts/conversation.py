"""Where the question of a conversation is, and the same conversation with another one."""

from __future__ import annotations

from collections.abc import Sequence

from synth.record import Message, Record


def question_of(record: Record) -> tuple[Message, ...]:
    """Return the turns that a reply would follow: a last reply is left out.

    A record without a user turn asks its instruction. Empty if it asks nothing.
    """
    messages = record.messages
    if messages and messages[-1]["role"] == "assistant":
        messages = messages[:-1]
    if any(message["role"] == "user" for message in messages):
        return messages
    if not record.instruction:
        return ()
    return (*messages, Message(role="user", content=record.instruction))


def last_asked(turns: Sequence[Message]) -> int:
    """Return the place of the last user turn, or the end where there is none."""
    asked = [place for place, turn in enumerate(turns) if turn["role"] == "user"]
    return asked[-1] if asked else len(turns)


def asking(turns: Sequence[Message], text: str) -> tuple[Message, ...]:
    """Return the turns up to the last user's, with `text` in its place; what follows is gone."""
    return (*turns[: last_asked(turns)], Message(role="user", content=text))


def with_system(turns: Sequence[Message], system: str) -> tuple[Message, ...]:
    """Return the turns with one more paragraph in the system turn, or with such a turn."""
    above, rest = "", tuple(turns)
    if rest and rest[0]["role"] == "system":
        above, rest = f"{rest[0]['content']}\n\n", rest[1:]
    return (Message(role="system", content=above + system), *rest)
