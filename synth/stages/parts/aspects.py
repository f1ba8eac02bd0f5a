"""Aspects: what answers are rated by, each on a scale of its own words.

The shipped ones are data like a recipe's own: a name, what the judge is told, and the scale's ends.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self, cast

from pydantic import BeforeValidator, Field, model_validator

from synth.errors import did_you_mean
from synth.frozen import Frozen


class Aspect(Frozen):
    """One thing to rate."""

    name: str = Field(pattern=r"^[a-z0-9_]+$")
    """The key of its ratings."""
    description: str = Field(min_length=1)
    """What the judge is told about it: what it means, and what the numbers mean."""
    least: float = 1
    """The worst rating."""
    most: float = 5
    """The best rating."""
    weight: float = Field(default=1.0, gt=0)
    """How much it counts in the mean."""

    @model_validator(mode="after")
    def _is_a_scale(self) -> Self:
        if self.least >= self.most:
            raise ValueError(f"wants `least` below `most`, got {self.least:g} and {self.most:g}")
        return self


SHIPPED: dict[str, Aspect] = {
    aspect.name: aspect
    for aspect in (
        Aspect(
            name="instruction_following",
            description="Does the answer do what was asked, with every stated condition? 1: it "
            "does something else. 2: it misses most. 3: it misses some. 4: it misses a detail. "
            "5: it does all that was asked.",
        ),
        Aspect(
            name="honesty",
            description="Does the answer sound as sure as it has reason to be, and own up to what "
            "it does not know? 1: sure and wrong. 2: often surer than it may be. 3: partly. 4: a "
            "slip. 5: its words fit what it can know.",
        ),
        Aspect(
            name="truthfulness",
            description="Is what the answer states true, consistent with itself and with the "
            "conversation? 1: made up for the most part. 2: grave errors. 3: some errors. 4: a "
            "small error. 5: no error.",
        ),
        Aspect(
            name="helpfulness",
            description="Does the answer take the person further: right, to the point, clear, as "
            "deep as needed? 1: useless. 2: of little use. 3: useful with gaps. 4: useful. 5: "
            "hardly to be bettered.",
        ),
        Aspect(
            name="points",
            least=0,
            description="Begin with 0 and add a point for each that holds: it has to do with the "
            "question; it answers a good part of it; it answers what matters most; it is written "
            "for the person, clear, ordered and whole; it shows expertise and wastes no word.",
        ),
    )
}
"""Those that come with the stage; `points` is an additive scale from 0 to 5."""

DEFAULT = ("instruction_following", "honesty", "truthfulness", "helpfulness")


def _chosen(written: Any) -> Any:
    """Return aspects, of which some may be written as the name of a shipped one."""
    if not isinstance(written, Sequence) or isinstance(written, str):
        return written
    return tuple(_one(item) for item in cast("Sequence[Any]", written))


def _one(item: Any) -> Any:
    if not isinstance(item, str):
        return item
    if item not in SHIPPED:
        hint = did_you_mean(item, SHIPPED)
        raise ValueError(
            f"no aspect {item!r}. {hint} One of your own has a `name` and a `description`."
        )
    return SHIPPED[item]


Aspects = Annotated[tuple[Aspect, ...], BeforeValidator(_chosen), Field(min_length=1)]
"""How a recipe spells them: names of shipped ones, and aspects of its own."""


def check_together(aspects: Sequence[Aspect]) -> None:
    """Raise ValueError for a name that comes twice, or scales that no mean can be taken over."""
    names = [aspect.name for aspect in aspects]
    if len(set(names)) < len(names):
        raise ValueError(f"wants each aspect once, got {', '.join(names)}")
    scales = {(aspect.least, aspect.most) for aspect in aspects}
    if len(scales) > 1:
        shown = ", ".join(f"{least:g} to {most:g}" for least, most in sorted(scales))
        raise ValueError(f"wants one scale for all aspects, to take their mean; got {shown}")


def weighted_mean(ratings: Mapping[str, float], aspects: Sequence[Aspect]) -> float:
    """Return the mean of the ratings there are, by weight. `ratings` holds one at least."""
    there = [aspect for aspect in aspects if aspect.name in ratings]
    total = sum(ratings[aspect.name] * aspect.weight for aspect in there)
    return round(total / sum(aspect.weight for aspect in there), 6)
