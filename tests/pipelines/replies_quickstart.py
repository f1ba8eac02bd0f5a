"""What a model says to the recipe quickstart."""

from __future__ import annotations

from synth.engine.base import Origin, Prompted, Sampling


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Return a whole answer first, and one that is cut off as the second."""
    if origin.sample:
        return "This one stops in the middle of what"
    return f"Here is a calm and whole answer to question number {origin.position[0]}."
