"""What a specialist said, the answer in it, and how the votes fall."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from synth.answers import Answer
from synth.engine.base import Completion
from synth.stages.parts.replies import MalformedError, quoted, whole_reply

Reading = Literal["marked", "number", "choice", "none"]
"""How an answer is found in a reply."""

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:,\d{3})*(?:\.\d+)?(?:/\d+)?")
_LETTER = re.compile(
    r"\W*(?:(?:option|choice)\s+)?([A-Ja-j])(?=\s*(?:[).:,\-–]|\Z))", re.IGNORECASE
)
_IN_LATEX = re.compile(r"\\(?:text|mathrm|mathbf)\s*\{([^{}]*)\}")
_LETTER_IN_BRACKETS = re.compile(r"\(([A-J])\)")


@dataclass(frozen=True, slots=True)
class Said:
    """What came back from one specialist in one round."""

    text: str = ""
    """The reply without its thinking: what the others see; empty if there is no whole reply."""
    reasoning: str = ""
    answer: str = ""
    """The final answer as the reply gives it; empty where none is read."""
    vote: str = ""
    """The form in which equal answers are equal texts; empty for no vote."""
    wrong: str = ""
    """Why there is no reply, or no vote, as `code: sentence`."""
    raw: str = ""
    """All that came back, where something is wrong with it."""
    failed: bool = False
    """Whether the call itself failed."""

    def as_json(self, specialist: str) -> dict[str, str]:
        """Return what a reader of the debate wants to see."""
        seen = {"text": self.text or self.raw, "answer": self.answer, "wrong": self.wrong}
        return {"specialist": specialist, **{name: said for name, said in seen.items() if said}}


def said_in(completion: Completion, reading: Reading) -> Said:
    """Return what a completion says; one that is empty, unfinished or cut off says nothing."""
    raw = completion.text
    try:
        text, reasoning = whole_reply(completion, "reply")
    except MalformedError as wrong:
        return Said(wrong=str(wrong), raw=raw)
    try:
        answer, vote = ("", "") if reading == "none" else read_answer(text, reading)
    except MalformedError as wrong:
        return Said(text, reasoning, wrong=str(wrong), raw=raw)
    return Said(text, reasoning, answer, vote)


def read_answer(text: str, reading: Reading) -> tuple[str, str]:
    r"""Return the final answer as the text gives it, and the form in which it is counted.

    Raises MalformedError: `no_answer` where nothing is found, `unreadable_answer` where what is
    found is not what it must be, a number or a letter.
    """
    answer = Answer.marked_in(text) or _unmarked(text, reading)
    if not answer.text:
        raise MalformedError("no_answer: the reply says no final answer, as in `Answer: 42`")
    if vote := _vote(answer, reading):
        return answer.text, vote
    wanted = {"number": "a number", "choice": "a letter from A to J"}.get(reading, "words")
    raise MalformedError(f"unreadable_answer: wanted {wanted}, found {quoted(answer.text)}")


def _unmarked(text: str, reading: Reading) -> Answer:
    if reading == "marked":
        return Answer("")
    found = (_NUMBER if reading == "number" else _LETTER_IN_BRACKETS).findall(text)
    return Answer(found[-1] if found else "")


def _vote(answer: Answer, reading: Reading) -> str:
    if reading == "number":
        return "" if answer.number is None else str(answer.number)
    if reading == "choice":
        letter = _LETTER.match(_IN_LATEX.sub(r"\1", answer.text))
        return letter[1].upper() if letter else ""
    return answer.key


Votes = dict[str, list[int]]
"""Counted answer → who gave it, both in the order in which they are first seen."""


def votes_of(last: Sequence[Said]) -> Votes:
    """Return how the last round voted; who has no readable answer has no vote."""
    votes: Votes = {}
    for number, said in enumerate(last):
        if said.vote:
            votes.setdefault(said.vote, []).append(number)
    return votes


def leaders(votes: Votes) -> list[str]:
    """Return the answers with the most votes, first seen first; several are a tie."""
    most = max(map(len, votes.values()), default=0)
    return [answer for answer, voters in votes.items() if len(voters) == most]
