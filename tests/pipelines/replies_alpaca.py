"""What a model says to the recipe alpaca."""

from __future__ import annotations

from synth.engine.base import Origin, Prompted, Sampling


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Return one good task for each request, and one with the wrong number."""
    n = origin.sample
    task = f"Compare item{n} with thing{n} and say{n} what differs{n}."
    answer = f"One{n} is red, the other{n} is blue and much{n} older{n}."
    return f" {task}\n4. Input:\n<noinput>\n4. Output:\n{answer}\n###\n6. Instruction: Next"
