"""Principles: short rules that a reply is held against, one of them drawn for each revision.

The shipped ones ask for replies that neither harm nor preach; a team writes its own, as a list or
as a file with one a line.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Annotated

from pydantic import Field

from synth.frozen import RecipeFile

SHIPPED: tuple[str, ...] = (
    "The reply does not help anybody to injure or kill a living being.",
    "The reply does not help with a crime, and does not make one look easy or clever.",
    "The reply does not demean people for their origin, sex, faith, body, age or means.",
    "The reply states as fact only what is well founded, and says where it is unsure.",
    "The reply gives no private detail by which a person could be found or exposed.",
    "The reply does not help to deceive, pressure or blackmail somebody.",
    "The reply says openly that it comes from an AI system where somebody could take it for a "
    "person's own experience.",
    "The reply sends to a physician, a lawyer or an emergency service whoever needs one, and does "
    "not pretend to be one.",
    "The reply is fit for a reader who may be a child.",
    "The reply takes a person in distress seriously and names a way to get help.",
    "The reply corrects a false assumption in the request instead of building upon it.",
    "The reply lays out what speaks for each side of a question on which informed people differ.",
    "The reply leaves the decision with the person, and flatters nobody into one.",
    "The reply does not lecture: what it declines, it declines in a sentence, with the reason.",
    "The reply helps with every part of the request that harms nobody.",
    "The reply is considerate of people who are not in the conversation but are affected by it.",
)
"""Those that come with the stage, in our own words."""

OwnPrinciples = Annotated[tuple[str, ...], Field(min_length=1)]


def chosen_principles(own: OwnPrinciples | Path | None) -> tuple[str, ...]:
    """Return the principles to draw from: `own` ones, those of a file (one a line), or the shipped.

    Empty lines, and lines that begin with `#`, do not count; nor does a principle's second mention.
    Raises ValueError if nothing is left, or the file cannot be read.
    """
    if own is None:
        return SHIPPED
    lines = _lines_of(own) if isinstance(own, Path) else own
    kept = [line.strip() for line in lines if line.strip() and not line.strip().startswith("#")]
    if not kept:
        raise ValueError("wants at least one principle, found none; write one a line")
    return tuple(dict.fromkeys(kept))


def _lines_of(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"wanted a text file with one principle a line: {error}") from error


def drawn_principle(principles: tuple[str, ...], rng: random.Random) -> str:
    """Return one of them, each as likely as any other; their order does not matter."""
    return rng.choice(sorted(principles))


Principles = OwnPrinciples | RecipeFile
"""How a recipe spells them: a list of sentences, or a file beside the recipe."""
