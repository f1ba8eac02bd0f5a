"""What the specialists say to the recipe debate."""

from __future__ import annotations

from synth.engine.base import Origin, Prompted, Sampling


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Let all disagree at first; then the last one alone stays with its answer."""
    stays = origin.sample == 2 or origin.step == "round_1"
    answer = 10 + origin.sample if stays else 42
    return f"Step by step, question {origin.position[0]} comes out so.\nAnswer: {answer}"
