"""What the engines of `curate_sft` say: it has none."""

from __future__ import annotations

from synth.engine.base import Origin, Prompted, Sampling


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Nobody asks."""
    raise AssertionError("nobody asks")
