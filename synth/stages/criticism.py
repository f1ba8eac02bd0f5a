"""What a model says about a reply, or puts in its place: read, or refused with the raw text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from synth.engine.base import Completion
from synth.stages.reasoning import split
from synth.stages.replies import MalformedError

# Bounded, so that long white space is not gone through again from each of its lines.
_VERDICT = re.compile(
    r"^[^\w\n]{0,20}verdict[^\w\n:]{0,20}:\W{0,20}(right|wrong)\b", re.MULTILINE | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Turn:
    """A past turn of refining, shown to the next ones."""

    reply: str
    feedback: str
    rewrite: str


def text_of(said: Completion, what: str) -> tuple[str, str]:
    """Return text and thinking of a completion. Raises MalformedError with the raw text."""
    thought = split(said.text)
    text = thought.answer
    if said.finish_reason == "length" or not thought.finished:
        reason = f"cut_off_{what}: the text did not end within `max_tokens`"
        raise MalformedError(reason, raw=said.text)
    if not text:
        raise MalformedError(f"empty_{what}: the model returned no text", raw=said.text)
    return text, said.reasoning or thought.reasoning


def finds_right(feedback: str) -> bool:
    """Return what the last line `Verdict: right` or `Verdict: wrong` says.

    Raises MalformedError if there is none.
    """
    verdicts = _VERDICT.findall(feedback)
    if not verdicts:
        wanted = "wanted a line 'Verdict: right' or 'Verdict: wrong'"
        raise MalformedError(f"no_verdict: {wanted}", raw=feedback)
    return verdicts[-1].lower() == "right"
