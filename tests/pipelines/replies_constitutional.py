"""What a model says to the recipe constitutional."""

from __future__ import annotations

from synth.engine.base import Origin, Prompted, Sampling


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Answer, criticise, and rewrite in other words at each step but the last."""
    kind, _, number = origin.step.partition(" ")
    if kind == "critique":
        return "The reply does not say where to get help."
    step = min(int(number or 0), 3)
    return f"Here is calm answer number {step} to the delicate request {origin.position[0]}."
