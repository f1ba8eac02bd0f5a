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
_OPENINGS = tuple(opening for opening, _ in _PAIRS)
_MOST_THOUGHTS = 16
_ANSWER_MARKS = re.compile(r"\A<\|begin_of_solution\|>(.*?)(?:<\|end_of_solution\|>)?\Z", re.DOTALL)


class Split(NamedTuple):
    """A reply in two parts."""

    reasoning: str
    answer: str
    finished: bool
    """False if the thinking never ended: there is no answer then."""


def split(text: str) -> Split:
    """Return thinking and answer of a reply that begins with thinking, white space removed.

    Chat templates often open the tag themselves, so a reply may hold the closing tag alone. A model
    may think again before it answers. Tags in the middle of an answer are part of it.
    """
    found = _first_thought(text.strip())
    thoughts = [found.reasoning]
    while found.answer.startswith(_OPENINGS) and len(thoughts) < _MOST_THOUGHTS:
        found = _first_thought(found.answer)
        thoughts.append(found.reasoning)
    reasoning = "\n\n".join(filter(None, thoughts))
    if not found.finished or found.answer.startswith(_OPENINGS):
        return Split(reasoning, "", finished=False)
    return Split(reasoning, found.answer, finished=True)


def _first_thought(text: str) -> Split:
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
