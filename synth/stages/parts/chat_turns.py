"""What is read, repaired and found wrong in the turns of a logged chat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from re import compile as pattern
from typing import NamedTuple

from synth.record import Message
from synth.seed.html import page
from synth.seed.values import RowError

Round = tuple[Message, Message]
"""What the user said and what the assistant replied."""

_TAG = pattern(
    r"</?(?:a|b|br|code|div|em|h[1-6]|hr|i|img|li|ol|p|pre|span|strong|table|tbody|td|th|thead|tr|ul)"
    r"(?:\s[^<>]*)?/?>"
)
_EMPTY_BLOCK = pattern(r"```\s{0,9}[\w+#.-]{0,20}\s{0,9}(?:Copy code)+\s*```")
_COPIED_BLOCK = pattern(r"```\s{0,9}([\w+#.-]{0,20}?)[ \t]{0,9}(?:Copy code)+[ \t]*\n?")
_TRIES = pattern(r"\A\s*\d+ / \d+")
_COUNTS = pattern(r"Copy\d+ chars / \d+ words")


def plain_markdown(text: str) -> str:
    """Return a turn as Markdown, without what the page of a chat put into it.

    Text without a tag of HTML keeps its characters, `<` and `&` too. Raises RowError if its HTML
    cannot be read.
    """
    if _TAG.search(text):
        text = page(text).text
    text = _EMPTY_BLOCK.sub("", text)
    text = _COPIED_BLOCK.sub(r"```\1\n", text)
    return _COUNTS.sub("", _TRIES.sub("", text)).strip()


def blocked(messages: Sequence[Message], words: Sequence[str]) -> str:
    """Return which of `words` is said in which turn, in any case of letters; empty if none is."""
    for number, message in enumerate(messages, 1):
        said = message["content"].casefold()
        for word in words:
            if word.casefold() in said:
                return f"turn {number} says {word!r}"
    return ""


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat as far as it is in order."""

    head: tuple[Message, ...]
    """The system's turn at its beginning, if there is one."""
    rounds: tuple[Round, ...]
    left_out: int
    """How many turns before the user's first and after the assistant's last one were left out."""
    rest: tuple[Message, ...] = ()
    """The turns from the broken one on, as they came."""
    problem: str = ""
    """What is broken, with the number of the turn; empty if nothing is."""


class _Wrong(NamedTuple):
    at: int
    problem: str


def in_order(messages: Sequence[Message], *, html: bool) -> Chat:
    """Return the rounds of a chat, up to the first turn that is broken.

    The user speaks first and last the assistant: one other turn at the beginning and the user's
    last are left out. What follows must alternate, and every turn must say something.
    """
    start = 1 if messages and messages[0]["role"] == "system" else 0
    first = start + (1 if messages[start:] and messages[start]["role"] != "user" else 0)
    end = len(messages)
    if end > first and messages[-1]["role"] == "user":
        end -= 1
    turns: list[Message] = []
    wrong = _read(messages[first:end], turns, html=html)
    rounds = tuple(_rounds(turns))
    left_out = first - start + len(messages) - end
    if wrong is None:
        return Chat(tuple(messages[:start]), rounds, left_out)
    # The user's turn before a broken reply goes with it.
    rest = tuple(messages[first + 2 * len(rounds) : end])
    problem = f"turn {first + wrong.at + 1} {wrong.problem}"
    return Chat(tuple(messages[:start]), rounds, left_out, rest, problem)


def _read(messages: Sequence[Message], turns: list[Message], *, html: bool) -> _Wrong | None:
    """Add the turns that are in order to `turns`; return the first that is not."""
    for at, message in enumerate(messages):
        wanted = ("user", "assistant")[at % 2]
        if message["role"] != wanted:
            return _Wrong(at, f"is the {message['role']}'s, wanted the {wanted}'s")
        try:
            said = plain_markdown(message["content"]) if html else message["content"]
        except RowError as error:
            return _Wrong(at, f"cannot be read: {error}")
        if not said.strip():
            return _Wrong(at, "says nothing")
        turns.append({**message, "content": said})
    return None


def _rounds(turns: Sequence[Message]) -> Iterator[Round]:
    return zip(turns[::2], turns[1::2], strict=False)
