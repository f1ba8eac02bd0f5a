"""Texts that break measures: long, odd, all alike; and what must hold of the scores on them."""

from __future__ import annotations

import math
from typing import Any

from synth.record import Verdict
from synth.testing import hostile_texts, judge
from tests.running import not_for_ever

MANY = {
    "marks": "." * 300_000 + "x",
    "marks with spaces": ". " * 150_000,
    "lines of one letter": "a\n" * 150_000,
    "blank lines": "a" + "\n \n" * 100_000 + "b",
    "items": "- a\n" * 75_000,
    "mixed scripts": "word слово 词 كلمة λέξη " * 10_000,
    "apostrophes": "a'" * 150_000,
    "hashes": "#" * 300_000,
    "numbers": " ".join(map(str, range(50_000))),
    "NaN": "nan NaN inf -inf",
}


def nothing_breaks(verifier: str, **options: Any) -> list[Verdict]:
    """Judge hostile texts; assert that no score is odd and that it takes no time by the square."""
    texts = {**hostile_texts(), **MANY}
    with not_for_ever():
        verdicts = judge(verifier, list(texts.values()), **options)
    for what, verdict in zip(texts, verdicts, strict=True):
        assert verdict.score is None or math.isfinite(verdict.score), what
        assert len(str(verdict.evidence)) < 1000, what
        assert len(verdict.reason) < 300, what
    return verdicts
