"""Choosing among the replies to one prompt: the best, the majority, or none of an easy prompt.

What is not chosen is a drop of kind "filter" with its reason. A reply that was dropped before stays
as it is, and counts as wrong; one whose call failed or whose verifier broke counts not at all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from synth.answers import Answer
from synth.record import JsonObject, Record
from synth.stages.parts.replies import quoted

_NO_ANSWER = "no_answer: the reply marks no final answer"


def within(children: Sequence[Record], band: tuple[float, float], by: str) -> list[Record]:
    """Return siblings, the live ones with their `pass_rate` if it lies in `band`, ends included.

    The rate is the share of the siblings that count which are live. Out of the band, none stays.
    """
    counted = [one for one in children if one.state == "live" or _is_wrong(one)]
    passed = sum(one.state == "live" for one in counted)
    rate = passed / max(len(counted), 1)
    if band[0] <= rate <= band[1]:
        return [_with(one, {"pass_rate": rate}) for one in children]
    side = "high" if rate > band[1] else "low"
    found = f"{passed} of {len(counted)} replies pass"
    reason = f"pass_rate_too_{side}: {found}, wants a share of {band[0]:g} to {band[1]:g}"
    return [_without(one, by, reason) for one in children]


def agreeing(
    children: Sequence[Record], least: float, words: Sequence[str], by: str
) -> list[Record]:
    """Return siblings, live only those with the final answer that most of them give.

    `words` mark an answer (see `Answer.marked_in`). The live ones get `final_answer` and, as
    `agreement`, the share of those with an answer that give it. Below `least`, or in a tie, none
    stays.
    """
    answers = [_answer(one, words) for one in children]
    votes = Counter(filter(None, answers)).most_common()
    if not votes:
        return [_without(one, by, _NO_ANSWER) for one in children]
    (winner, most), others = votes[0], votes[1:]
    share = most / sum(count for _, count in votes)
    tie = bool(others) and others[0][1] == most
    if tie or share < least:
        also = ", and as many for another" if tie else f", wants {least:.0%}"
        said = f"no_majority: {share:.0%} for {quoted(winner)}{also}"
        return [
            _without(one, by, said if found else _NO_ANSWER)
            for one, found in zip(children, answers, strict=True)
        ]
    agreed = {"final_answer": winner, "agreement": share}
    won = f"against {quoted(winner)}, which {share:.0%} give"
    return [
        _with(one, agreed)
        if found == winner
        else _without(one, by, f"minority_answer: {quoted(found)} {won}" if found else _NO_ANSWER)
        for one, found in zip(children, answers, strict=True)
    ]


def best(children: Sequence[Record], label: str, by: str) -> list[Record]:
    """Return siblings, live only the first with the highest score of the verifier `label`."""
    scores = [_score(one, label) for one in children]
    highest = max((score for score in scores if score is not None), default=None)
    chosen = scores.index(highest) if highest is not None else -1
    return [
        child if number == chosen else _without(child, by, _passed_by(label, score, highest))
        for number, (child, score) in enumerate(zip(children, scores, strict=True))
    ]


def _passed_by(label: str, score: float | None, highest: float | None) -> str:
    if score is None:
        return f"no_score: {label!r} gave the reply none"
    return f"not_best: {label!r} gives {score:g}, the best reply {highest:g}"


def _is_wrong(child: Record) -> bool:
    return child.state == "dropped" and child.dropped is not None and child.dropped.kind != "error"


def _answer(child: Record, words: Sequence[str]) -> str:
    """Return the key of a live reply's answer, or ""."""
    found = Answer.marked_in(child.reply, words) if child.state == "live" else None
    return found.key if found else ""


def _score(child: Record, label: str) -> float | None:
    """Return what verifier `label` gave a live reply, or None."""
    if child.state != "live":
        return None
    given = [one.verdict.score for one in child.judgements if one.label == label]
    return given[-1] if given else None


def _with(child: Record, fields: JsonObject) -> Record:
    return child.adding(fields) if child.state == "live" else child


def _without(child: Record, by: str, reason: str) -> Record:
    return child.drop("filter", by=by, reason=reason) if child.state == "live" else child
