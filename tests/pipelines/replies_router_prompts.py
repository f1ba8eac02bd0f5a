"""What a model says to the recipe router_prompts."""

from __future__ import annotations

from synth.engine.base import Origin, Prompted, Sampling

_OPENINGS = ("Tell me", "Please explain", "I wonder", "Could you say", "My boss wants to know")
_MATTERS = ("bread", "tides", "loans", "knots", "fevers", "glaciers", "parsers", "orchards")
_ENDS = ("before noon", "without jargon", "for my son", "in detail", "as a list")


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Make new requests, each like none before, and answer them calmly."""
    if origin.step != "examples":
        return "Here is a calm and whole answer to what was asked, with nothing left out."
    seed, number = origin.position[0], origin.sample
    matter = f"{_MATTERS[number % 8]} number {seed * 100 + number}"
    return f"{_OPENINGS[number % 5]} what matters most about {matter} {_ENDS[number // 8 % 5]}."
