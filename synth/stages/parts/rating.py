"""Rate answers by aspects: the judge sees them in an order drawn at random, undone afterwards."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import NamedTuple

from synth.errors import CallFailed
from synth.stages.parts.aspects import Aspect, weighted_mean
from synth.stages.parts.contest import Contest, Score
from synth.stages.parts.replies import MalformedError, answer_in, number_in

_HEADING = re.compile(
    r"^[ \t#*_\[]*Answer[ \t]+(\d{1,3})[\]*_ \t:]*$", re.MULTILINE | re.IGNORECASE
)
_RATING = re.compile(r"^[ \t#*_-]*Rating[ \t*_]*:(.*)$", re.MULTILINE | re.IGNORECASE)
_RATIONALE = re.compile(r"\A[\s#*_-]*Rationale[ \t*_]*:[ \t*_]*", re.IGNORECASE)


class Rated(NamedTuple):
    """One rating that could be read."""

    rating: float
    rationale: str


@dataclass(slots=True)
class _Heard:
    """What came of one call."""

    aspect: Aspect
    asked: Sequence[int]
    ratings: dict[int, Rated] = field(default_factory=dict[int, Rated])
    raw: str = ""
    failed: str = ""


async def rated(contest: Contest) -> dict[int, Score]:
    """Return each answer's score: the mean over aspects of the means over the judge's samples."""
    stage, numbers = contest.stage, list(contest.answers)
    groups = [numbers] if stage.together else [[number] for number in numbers]
    async with asyncio.TaskGroup() as tasks:
        calls = [
            tasks.create_task(_call(contest, aspect, group, sample))
            for aspect in stage.aspects
            for group in groups
            for sample in range(stage.judge_samples)
        ]
    heard = [call.result() for call in calls]
    return {number: _score(number, heard, contest) for number in numbers}


async def _call(contest: Contest, aspect: Aspect, group: list[int], sample: int) -> _Heard:
    alone = "" if contest.stage.together else f" {group[0]}"
    rng = contest.services.rng(contest.record, f"order {aspect.name}{alone} {sample}")
    order, heard = shuffled(group, rng), _Heard(aspect, group)
    answers = [contest.answers[number] for number in order]
    try:
        said = await contest.said(
            "rating_prompt", f"rate {aspect.name}{alone}", sample, aspect=aspect, answers=answers
        )
        heard.raw = said.text
        read = ratings_in(answer_in(said, "rating"), aspect)
    except CallFailed as failed:
        heard.failed = failed.reason
    except MalformedError:
        pass
    else:
        heard.ratings = put_back(read, order)
    return heard


def shuffled(numbers: Sequence[int], rng: random.Random) -> list[int]:
    """Return the numbers in the order in which the judge sees them; every order is as likely."""
    return rng.sample(numbers, len(numbers))


def put_back(read: dict[int, Rated], order: Sequence[int]) -> dict[int, Rated]:
    """Return number of the child → rating, for ratings by place (from 1) in `order`.

    A place that was not shown is left out.
    """
    return {number: read[place] for place, number in enumerate(order, 1) if place in read}


def ratings_in(text: str, aspect: Aspect) -> dict[int, Rated]:
    """Return place → rating, for each block `Answer <place>` whose line `Rating:` can be read.

    Left out: N/A, no number or several, one off the scale, and a place that has two blocks.
    """
    _, *parts = _HEADING.split(text)
    places = [int(place) for place in parts[::2]]
    found: dict[int, Rated] = {}
    for place, block in zip(places, parts[1::2], strict=True):
        rating = _rating(block, aspect)
        if rating is not None and places.count(place) == 1:
            found[place] = rating
    return found


def _rating(block: str, aspect: Aspect) -> Rated | None:
    lines = list(_RATING.finditer(block))
    if not lines:
        return None
    try:
        rating = number_in(lines[-1][1].strip(" \t*_"), aspect.least, aspect.most)
    except MalformedError:
        return None
    return Rated(rating, _RATIONALE.sub("", block[: lines[-1].start()]).strip())


def _score(number: int, heard: Sequence[_Heard], contest: Contest) -> Score:
    stage, ratings, rationales = contest.stage, dict[str, float](), dict[str, list[str]]()
    for aspect in stage.aspects:
        by_it = [one.ratings for one in heard if one.aspect == aspect]
        said = [ratings_by[number] for ratings_by in by_it if number in ratings_by]
        if said:
            ratings[aspect.name] = round(fmean(one.rating for one in said), 6)
            rationales[aspect.name] = [one.rationale for one in said]
    about = [one for one in heard if number in one.asked and number not in one.ratings]
    enough = len(ratings) == len(stage.aspects) if stage.all_aspects else bool(ratings)
    score = Score(
        weighted_mean(ratings, stage.aspects) if enough else None,
        {"ratings": ratings},
        [one.raw for one in about if not one.failed],
        next((one.failed for one in about if one.failed), ""),
    )
    if stage.rationales:
        score.fields["rationales"] = rationales
    return score
