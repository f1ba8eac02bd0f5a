"""What a model says to the recipe math_reasoning."""

from __future__ import annotations

import json
from importlib import resources

from synth.engine.base import Origin, Prompted, Sampling

_SEEDS = resources.files("synth.seeds").joinpath("math_with_answers.jsonl").read_text("utf-8")
_ROWS = [json.loads(line) for line in _SEEDS.splitlines()]
_ENDINGS = ("", "Answer: forty", "Answer: -999")


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Solve the problem in every fourth reply; else guess, ramble or give no answer."""
    row = _ROWS[origin.position[0]]
    if origin.sample % 4:
        return f"Let me guess, {origin.sample} times over.\n{_ENDINGS[origin.sample % 3]}".strip()
    ways = (
        "One sees it at once",
        "It takes a while to see it, and then it is quite plain to anyone",
    )
    return f"{ways[origin.sample // 4]}: {row['solution']}\nAnswer: {row['answer']}"
