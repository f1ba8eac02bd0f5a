"""What a model says to the recipe evol_instruct."""

from __future__ import annotations

from synth.engine.base import Origin, Prompted, Sampling

_SUBJECTS = {
    1: "Which three causes does a physicist name first, and how would you rank them by weight?",
    2: "Explain it to a child of six, then say which detail your explanation had to leave out.",
    3: "Rewritten prompt: describe the same thing in more words than before.",
    4: "Give a counterexample from daily life and say in two steps what makes it an exception.",
}


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Evolve three times well and once with a leak; answer everything calmly."""
    kind, _, number = origin.step.partition(" ")
    place = ("first", "second", "third")[origin.position[0]]
    if kind == "evolve":
        return f"About the {place} matter on my list of {place} things: {_SUBJECTS[int(number)]}"
    if kind == "judge":
        return "Not equal"
    return f"Here is a calm and whole answer to the {place} matter, with nothing left out."
