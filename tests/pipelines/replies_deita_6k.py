"""What a rater says to the recipe deita_6k."""

from __future__ import annotations

from synth.engine.base import Completion, Origin, Prompted, Sampling


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
    """Rate later records a little higher."""
    high = 1.0 + origin.position[0]
    return Completion("4", top_logprobs=((("4", -1.0), ("5", -high), ("1", -3.0)),))
