"""Compare answers two by two, each pair in both orders, so that a liking for a place cancels."""

from __future__ import annotations

import asyncio
import math
import re
from dataclasses import dataclass, field
from itertools import combinations
from statistics import fmean

from synth.engine.base import Completion
from synth.errors import CallFailed
from synth.stages.parts.contest import Contest, Score
from synth.stages.parts.principles import drawn_principle
from synth.stages.parts.reasoning import split
from synth.stages.parts.replies import MalformedError, answer_in

_ALONE = re.compile(r"\W*(?:Better\W+)?(A|B|tie)\W*", re.IGNORECASE)
_BETTER = re.compile(r"^[^\w\n]*Better\W*:\W*(A|B|tie)\b\W*$", re.MULTILINE | re.IGNORECASE)
_VERDICTS = {"A": 1.0, "B": 0.0, "TIE": 0.5}


@dataclass(frozen=True, slots=True)
class Side:
    """How one call sees its first answer."""

    verdict: float
    """1 if the judge names it better, 0 if the other, 0.5 for a tie."""
    soft: float | None = None
    """Its probability to be better, from log-probabilities, or None."""


@dataclass(slots=True)
class _Compared:
    """What came of one pair, over all samples."""

    pair: tuple[int, int]
    wins: list[float] = field(default_factory=list[float])
    """Probabilities that the first of the pair is better, one a sample with both orders."""
    unread: list[str] = field(default_factory=list[str])
    failed: str = ""


async def compared(contest: Contest, principles: tuple[str, ...]) -> dict[int, Score]:
    """Return each answer's score: its mean probability to be better, over the pairs it is in."""
    async with asyncio.TaskGroup() as tasks:
        pairs = [
            tasks.create_task(_pair(contest, pair, principles))
            for pair in combinations(contest.answers, 2)
        ]
    heard = [pair.result() for pair in pairs]
    return {number: _score(number, heard) for number in contest.answers}


async def _pair(contest: Contest, pair: tuple[int, int], principles: tuple[str, ...]) -> _Compared:
    one, other = pair
    found = _Compared(pair)
    async with asyncio.TaskGroup() as tasks:
        asked = [
            (
                tasks.create_task(_side(contest, (one, other), sample, principles)),
                tasks.create_task(_side(contest, (other, one), sample, principles)),
            )
            for sample in range(contest.stage.judge_samples)
        ]
    clamp = contest.stage.clamp if contest.stage.reasoning else None
    for forth, back in asked:
        sides = (forth.result(), back.result())
        found.unread += [side for side in sides if isinstance(side, str)]
        for failed in (side for side in sides if isinstance(side, CallFailed)):
            found.failed = found.failed or failed.reason
        match sides:
            case (Side() as first, Side() as second):
                found.wins.append(label_of(first, second, clamp))
            case _:
                continue
    return found


async def _side(
    contest: Contest, shown: tuple[int, int], sample: int, principles: tuple[str, ...]
) -> Side | str | CallFailed:
    """Return how the first of two answers fares; a reply that cannot be read as its raw text."""
    first, second = shown
    pair = f"{min(shown)}-{max(shown)}"
    rng = contest.services.rng(contest.record, f"principle {pair} {sample}")
    try:
        said = await contest.said(
            "comparison_prompt",
            f"compare {first}-{second}",
            sample,
            first=contest.answers[first],
            second=contest.answers[second],
            principle=drawn_principle(principles, rng) if principles else "",
            reasoning=contest.stage.reasoning,
        )
        return side_of(said, reasoning=contest.stage.reasoning)
    except CallFailed as failed:
        return failed
    except MalformedError as wrong:
        return wrong.raw


def side_of(said: Completion, *, reasoning: bool) -> Side:
    """Return what a reply says about the first answer (A).

    Without `reasoning` the reply is one word, which counts even if `max_tokens` ended it there.
    Raises MalformedError, with the raw reply, if it names neither A nor B nor a tie.
    """
    if reasoning:
        named = _BETTER.findall(answer_in(said, "comparison"))
    else:
        alone = _ALONE.fullmatch(split(said.text).answer)
        named = [alone[1]] if alone else []
    if not named:
        raise MalformedError("no_choice: wanted A, B or tie, found none of them", raw=said.text)
    verdict = _VERDICTS[named[-1].upper()]
    return Side(verdict, None if verdict == 0.5 else soft_label(said))


def soft_label(said: Completion) -> float | None:
    """Return exp(a) / (exp(a) + exp(b)) for the last token that is most likely A or B.

    Spellings of a letter (` A`, `(A`) are summed. None without log-probabilities, and where none of
    the tokens is such a letter; a letter that is not reported has the probability 0.
    """
    for place in reversed(said.top_logprobs or ()):
        if not place or _letter(place[0][0]) not in ("A", "B"):
            continue
        weight = {"A": 0.0, "B": 0.0}
        for token, logprob in place:
            if (letter := _letter(token)) in weight:
                weight[letter] += math.exp(logprob)
        total = sum(weight.values())
        return weight["A"] / total if total else None
    return None


def _letter(token: str) -> str:
    return token.strip(" \t\n()*.:\"'▁Ġ")


def label_of(forth: Side, back: Side, clamp: tuple[float, float] | None = None) -> float:
    """Return the probability that an answer is better, shown first in `forth`, second in `back`.

    Soft labels are averaged, each within `clamp` if given; without them two verdicts that disagree
    are a tie.
    """
    if forth.soft is not None and back.soft is not None:
        low, high = clamp or (0.0, 1.0)
        return fmean(min(max(soft, low), high) for soft in (forth.soft, 1 - back.soft))
    return forth.verdict if forth.verdict == 1 - back.verdict else 0.5


def _score(number: int, heard: list[_Compared]) -> Score:
    wins: dict[str, float] = {}
    mine = [one for one in heard if number in one.pair]
    for one in mine:
        first, second = one.pair
        if one.wins:
            share = fmean(one.wins)
            rival, own = (second, share) if number == first else (first, 1 - share)
            wins[str(rival)] = round(own, 6)
    return Score(
        round(fmean(wins.values()), 6) if wins else None,
        {"wins": wins},
        [raw for one in mine for raw in one.unread],
        next((one.failed for one in mine if one.failed), ""),
    )
