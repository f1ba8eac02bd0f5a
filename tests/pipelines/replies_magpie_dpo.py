"""What the model and the judge say to the recipe magpie_dpo."""

from __future__ import annotations

from synth.engine.base import Origin, Prompted, Sampling
from tests.pipelines import replies_magpie

_RATINGS = (3, 5, 2, 4, 1)


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Write a question and answer it as for `magpie`; rate one answer higher than another."""
    if origin.stage != "feedback":
        return replies_magpie.reply(prompt, sampling, origin)
    if origin.step.startswith("answer"):
        return f"Take your time and begin small; this is way number {origin.sample} to say it."
    rated = [f"Answer {n}\nRating: {rating}" for n, rating in enumerate(_RATINGS, 1)]
    return "\n\n".join(rated)
