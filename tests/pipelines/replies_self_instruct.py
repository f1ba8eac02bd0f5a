"""What a model says to the recipe self_instruct."""

from __future__ import annotations

from synth.engine.base import Origin, Prompted, Sampling


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Return two tasks for each request, one of them too short, and an instance for each task."""
    if origin.step == "instructions":
        n = origin.sample
        return f"Compare item{n} with thing{n} and say{n} what differs{n}.\n10. No."
    if origin.step == "classification":
        return "No"
    place = ".".join(map(str, origin.position))
    return f"Example 1\nInput: a{place} b{place}\nOutput: One is red{place}, two is blue{place}."
