"""A reply's thinking, told apart from its answer where the server did not do it."""

from __future__ import annotations

import re
from typing import NamedTuple

from synth.record import Message

_PAIRS = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<reasoning>", "</reasoning>"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
)
_ANSWER_MARKS = re.compile(r"\A<\|begin_of_solution\|>(.*?)(?:<\|end_of_solution\|>)?\Z", re.DOTALL)


class Split(NamedTuple):
    """A reply in two parts."""

    reasoning: str
    answer: str
    finished: bool
    """False if the thinking never ended: there is no answer then."""


def split(text: str) -> Split:
    """Return thinking and answer of a reply that begins with thinking, white space removed.

    Chat templates often open the tag themselves, so a reply may hold the closing tag alone. Tags in
    the middle of an answer are part of it.
    """
    text = text.strip()
    for opening, closing in _PAIRS:
        before, found, after = text.partition(closing)
        if text.startswith(opening):
            if not found:
                return Split(text[len(opening) :].strip(), "", finished=False)
            return Split(before[len(opening) :].strip(), _answer(after), finished=True)
        if found and opening not in before:
            return Split(before.strip(), _answer(after), finished=True)
    return Split("", text, finished=True)


def turn_of(text: str, reasoning: str) -> Message:
    """Return the assistant's turn, with its thinking if there was any."""
    reply = Message(role="assistant", content=text)
    if reasoning:
        reply["reasoning"] = reasoning
    return reply


def _answer(text: str) -> str:
    text = text.strip()
    marked = _ANSWER_MARKS.match(text)
    return marked[1].strip() if marked else text
