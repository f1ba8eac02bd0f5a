"""What a model says to the recipe magpie."""

from __future__ import annotations

import json

from synth.engine.base import Origin, Prompted, Sampling

_TOPICS = ("tides", "sourdough", "chess openings", "tax returns", "bicycle brakes", "haiku")


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Write a question, tag it, answer it; the last question of each seed is a poor one."""
    topic = _TOPICS[origin.position[0] % len(_TOPICS)]
    sample = origin.sample if origin.stage == "magpie" else origin.position[-1]
    match origin.step:
        case "instruction":
            colon = ":" if sample == 2 else "?"
            return f"In {sample + 3} sentences, what should somebody know about {topic}{colon}"
        case "difficulty":
            return json.dumps({"intent": "To learn.", "knowledge": topic, "difficulty": "easy"})
        case "quality":
            quality = "poor" if sample == 3 else "good"
            return json.dumps({"explanation": "It is clear.", "input_quality": quality})
        case "category":
            return json.dumps({"primary_tag": "Information seeking", "other_tags": []})
        case _:
            return f"The first thing about {topic} is to take one's time and to begin small."
