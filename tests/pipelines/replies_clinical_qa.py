"""What a model says to the recipe clinical_qa."""

from __future__ import annotations

from synth.engine.base import Chat, Origin, Prompted, Sampling

_WORDS = ("salt", "rest", "heat", "fever", "shoes", "scans", "readings", "tablets", "swabs")


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Return questions of their own for each passage, and a short answer to each."""
    document, *rest = origin.position
    if origin.step in {"question", "unanswerable"}:
        word = _WORDS[(document * 3 + sum(rest)) % len(_WORDS)]
        return "\n".join(
            f"{number}. In document {document}, part {rest}, what does rule {number} say on {word}?"
            for number in range(1, 4)
        )
    assert isinstance(prompt, Chat)
    if origin.step == "decline":
        return "The passages do not contain the answer; they give no number for this group."
    return f"Rule {origin.sample + 1} of part {rest} in text {document} wants calm and patience."
