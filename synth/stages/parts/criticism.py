"""What a model says about a reply, or puts in its place: read, or refused with the raw text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from synth.stages.parts.replies import MalformedError

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


def finds_right(feedback: str) -> bool:
    """Return what the last line `Verdict: right` or `Verdict: wrong` says.

    Raises MalformedError if there is none.
    """
    verdicts = _VERDICT.findall(feedback)
    if not verdicts:
        wanted = "wanted a line 'Verdict: right' or 'Verdict: wrong'"
        raise MalformedError(f"no_verdict: {wanted}", raw=feedback)
    return verdicts[-1].lower() == "right"
