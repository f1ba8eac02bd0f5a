"""What a small model says to the recipe superfilter: log-probabilities, lower without a prompt."""

from __future__ import annotations

import json

from synth.engine.base import Origin, Prompted, Sampling


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Return those of three tokens."""
    lost = 2.0 if origin.step == "alone" else 1.0 + origin.position[0] / 10
    return json.dumps({"tokens": ["a", "b", "c"], "logprobs": [-lost] * 3, "before": 1})
