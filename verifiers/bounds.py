"""What a verifier that measures says of a number: it passes with it, or it is out of bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from synth import Verdict

REASONS = ("too_low", "too_high")
"""The codes of the verdicts of `bounded`."""


def refuse_crossed(at_least: float | None, at_most: float | None) -> None:
    """Raise ValueError where no number can be within both bounds."""
    if at_least is not None and at_most is not None and at_least > at_most:
        raise ValueError(f"wants at_least ≤ at_most, got {at_least:g} and {at_most:g}")


def bounded(
    score: float,
    at_least: float | None,
    at_most: float | None,
    *,
    what: str,
    evidence: Mapping[str, Any] | None = None,
) -> Verdict:
    """Return the verdict on a finite `score`; bounds are inclusive, None is no bound."""
    if at_least is not None and score < at_least:
        said = f"{what} is {score:.4g}, wants at least {at_least:g}"
        return Verdict.failed("too_low", said, score=score, evidence=evidence)
    if at_most is not None and score > at_most:
        said = f"{what} is {score:.4g}, wants at most {at_most:g}"
        return Verdict.failed("too_high", said, score=score, evidence=evidence)
    return Verdict.passed(score=score, evidence=evidence)


class Rule(NamedTuple):
    """One of several bounds on a text, with a reason of its own."""

    code: str
    what: str
    """What was measured, as the subject of a sentence."""
    value: float
    least: float | None
    most: float | None


def judged(rules: Iterable[Rule]) -> Verdict:
    """Return the verdict by the first rule that is broken; the others are not asked for then."""
    for code, what, value, least, most in rules:
        low = least is not None and value < least
        if low or (most is not None and value > most):
            wanted = f"at least {least:g}" if low else f"at most {most:g}"
            said = f"{what}: {value:.4g}, wants {wanted}"
            return Verdict.failed(code, said, evidence={"value": round(value, 4)})
    return Verdict.passed()
