"""A contest: the answers to one record before a judge, and what it says about each.

What a judge did not say is missing, not low: it never enters a mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from synth.engine.base import Chat, Completion
from synth.prompt import names_of
from synth.record import Message, Record
from synth.services import Services

if TYPE_CHECKING:
    from synth.stages.feedback import Feedback

Place = Literal["best", "worst", "between", "equal"]


@dataclass(frozen=True, slots=True)
class Contest:
    """Who judges which answers to which conversation."""

    stage: Feedback
    services: Services
    record: Record
    conversation: tuple[Message, ...]
    """What all of them answer."""
    answers: Mapping[int, str]
    """Number of the child → its text."""

    async def said(self, option: str, step: str, sample: int, **shown: Any) -> Completion:
        """Return what the judge says to a prompt. Raises CallFailed."""
        names = names_of(self.record, conversation=self.conversation, **shown)
        asked = Chat(self.services.prompts[option].render(names))
        judge, sampling = self.stage.judge, self.stage.judge_sampling
        return await self.services.complete(
            judge, asked, sampling, self.record, step=step, sample=sample
        )


@dataclass(slots=True)
class Score:
    """What came of judging one answer."""

    score: float | None = None
    """None if nothing could be read."""
    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    """What its child tells beside the score."""
    unread: list[str] = field(default_factory=list[str])
    """The judge's replies that say nothing readable about it."""
    failed: str = ""
    """Why a call failed, if one did."""


def places(scores: Mapping[int, float], *, min_gap: float, drawn: float | None) -> dict[int, Place]:
    """Return the place of each number: first of the highest `best`, first of the lowest `worst`.

    All are `equal` if highest and lowest are equal or less than `min_gap` apart. With `drawn` (0 to
    1, 1 excluded) the worst is a random one of those far enough below the best.
    """
    best = max(scores, key=lambda number: scores[number])
    below = [
        number
        for number, score in scores.items()
        if score < scores[best] and round(scores[best] - score, 6) >= min_gap
    ]
    found: dict[int, Place] = dict.fromkeys(scores, "between" if below else "equal")
    if not below:
        return found
    worst = min(below, key=lambda number: scores[number])
    if drawn is not None:
        worst = below[int(drawn * len(below))]
    found.update({best: "best", worst: "worst"})
    return found
