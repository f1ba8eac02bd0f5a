"""Questions as a model lists them: read, with what is wrong with each."""

from __future__ import annotations

import re
from typing import NamedTuple

from synth.engine.base import Completion
from synth.similarity.rouge_l import Pool
from synth.stages.parts.reasoning import split
from synth.stages.parts.replies import MalformedError, listed

_NONE = re.compile(r"\W*NONE\W*\Z")


class Listed(NamedTuple):
    """A question of a list."""

    text: str
    wrong: str = ""
    """Why it cannot be used, as `code: sentence`, or empty."""


def questions_in(said: Completion, wanted: int) -> list[Listed]:
    """Return at most `wanted` questions of a reply; none if it says NONE.

    One question needs no number. The last of a list that was cut off is wrong. Raises
    MalformedError (`empty_questions`, `unfinished_reasoning`, `no_list`) with the raw text.
    """
    thought = split(said.text)
    if not thought.finished:
        raise MalformedError("unfinished_reasoning: the thinking never ended", raw=said.text)
    if not thought.answer:
        raise MalformedError("empty_questions: the model returned no text", raw=said.text)
    if _NONE.match(thought.answer):
        return []
    found = [Listed(_clean(item)) for item in _items(thought.answer, wanted, said.text)]
    if found and said.finish_reason == "length":
        wrong = "cut_off_question: the list did not end within `max_tokens`"
        found[-1] = found[-1]._replace(wrong=wrong)
    return [_worded(question) for question in found[:wanted]]


def _items(text: str, wanted: int, raw: str) -> list[str]:
    try:
        return listed(text)
    except MalformedError as wrong:
        if wanted == 1 and "\n" not in text:
            return [text]
        raise MalformedError(str(wrong), raw=raw) from wrong


def _clean(item: str) -> str:
    """Return an item without emphasis and quotes, and without what stands below a blank line."""
    return " ".join(item.partition("\n\n")[0].split()).strip('*"“” ')


def _worded(question: Listed) -> Listed:
    if question.wrong or any(character.isalnum() for character in question.text):
        return question
    return question._replace(wrong=f"empty_question: it is {question.text!r}")


class Heard:
    """The questions of a document so far.

    Two are the same if they have the same letters and digits in any case, or a ROUGE-L above
    `threshold` (its words are those of the Latin alphabet; at 1 only the letters count).
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._pool = Pool()
        self._texts: list[str] = []
        self._places: dict[str, int] = {}

    def earlier(self, text: str) -> str:
        """Return the same question as it was heard before; else remember it and return ""."""
        letters = "".join(filter(str.isalnum, text.casefold()))
        place = self._places.get(letters)
        if place is None and self._threshold < 1:
            near = self._pool.first_above(text, self._threshold)
            place = near.number if near else None
        if place is not None:
            return self._texts[place]
        self._places[letters] = self._pool.add(text)
        self._texts.append(text)
        return ""
