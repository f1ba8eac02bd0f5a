"""Personas: people told in a sentence or two, and what a model can be asked to make of one."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Literal

from synth import seed
from synth.errors import SeedError
from synth.frozen import RecipeFile, content_digest


@dataclass(frozen=True, slots=True)
class Task:
    """What a model is asked to make of a persona, or a persona of."""

    makes: Literal["turn", "text", "persona"]
    """A user turn, or a field: `text` or `persona`."""
    labels: tuple[str, ...]
    """What models like to put before it, with a colon."""


TASKS: dict[str, Task] = {
    "instruction": Task("turn", ("user prompt", "prompt", "user", "instruction", "request")),
    "math": Task("turn", ("math problem", "mathematical problem", "problem", "question")),
    "reasoning": Task("turn", ("logical reasoning problem", "logic problem", "problem", "puzzle")),
    "code": Task("turn", ("programming task", "programming problem", "problem", "task")),
    "knowledge": Task("text", ("text", "article")),
    "npc": Task("text", ("npc", "character")),
    "tool": Task("text", ("tool", "interface")),
    "from_text": Task("persona", ("persona", "person", "description")),
    "related": Task("persona", ("persona", "person", "description")),
}
"""Those that come with the stage; each has a prompt of its name."""

RELATIONS: tuple[str, ...] = (
    "somebody who works with this person",
    "somebody who learns from this person",
    "somebody from whom this person has learned",
    "somebody whom this person helps or serves",
    "somebody on whose work this person depends",
    "somebody in this person's family",
    "a neighbour or friend of this person with another trade",
    "somebody who sees things quite differently from this person",
)
"""How one person may stand to another; one is drawn evenly."""

OwnPersonas = tuple[str, ...]
Personas = OwnPersonas | RecipeFile
"""How a recipe spells them: a list of sentences, or a file beside the recipe."""

_SHIPPED = Path(str(resources.files("synth.seeds") / "personas.jsonl"))


def shipped_digest() -> str:
    """Return a digest of the personas that are drawn from where a recipe names none."""
    return content_digest(_SHIPPED)


def chosen_personas(own: OwnPersonas | Path | None) -> tuple[str, ...]:
    """Return the personas to draw from, sorted, each once; the seed set `personas` for None.

    A file that ends in `.txt` has one a line, where empty lines and those that begin with `#` do
    not count; any other is a seed file with a column `persona`. Raises ValueError if nothing is
    left, or the file cannot be read.
    """
    if own is None:
        own = _SHIPPED
    said = _read(own) if isinstance(own, Path) else own
    kept = {line.strip() for line in said if line.strip()}
    if not kept:
        raise ValueError(
            "wants at least one persona, found none; write one a line (.txt) or give rows a "
            "column `persona`"
        )
    return tuple(sorted(kept))


def _read(file: Path) -> list[str]:
    try:
        if file.suffix.lower() == ".txt":
            lines = file.read_text("utf-8-sig").splitlines()
            return [line for line in lines if not line.startswith("#")]
        rows = seed.records(seed.resolve([str(file.resolve())], Path()))
        found = [row.fields.get("persona") for row in rows if row.state == "live"]
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1} of {file.name!r} is not UTF-8; convert it"
        raise ValueError(f"wanted a file with personas: {found}") from error
    except (OSError, SeedError) as error:
        raise ValueError(f"wanted a file with personas: {error}") from error
    return [persona for persona in found if isinstance(persona, str)]


def drawn_persona(personas: tuple[str, ...], rng: random.Random) -> str:
    """Return one of them, each as likely as any other."""
    return rng.choice(personas)


def drawn_relation(relations: tuple[str, ...], rng: random.Random) -> str:
    """Return one of them, each as likely as any other."""
    return rng.choice(relations)


def without_label(text: str, labels: tuple[str, ...]) -> str:
    """Return `text` without a label at its beginning such as `**Math problem:**`, in any case."""
    names = "|".join(re.escape(label) for label in sorted(labels, key=len, reverse=True))
    pattern = rf"\A[#*_\s]*(?:{names})[ \t]*[*_]*[ \t]*:[ \t]*[*_]*\s*"
    return re.sub(pattern, "", text, count=1, flags=re.IGNORECASE)
