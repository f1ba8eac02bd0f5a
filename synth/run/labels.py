"""What stages and verifiers are called in a recipe, and which of those names cannot be.

Labels are read as they are written: a verifier that cannot be made is still called something.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

from synth.errors import did_you_mean
from synth.recipe import Location, Named, Recipe, Wrong, label_of, named_options

SEEDS = "seeds"
"""The label of what comes before the first stage."""


def named_stages(recipe: Recipe) -> Iterator[tuple[tuple[int, str], Named]]:
    """Yield number, name and spelling of each stage that has a name."""
    for number, written in enumerate(recipe.stages):
        for name in written:
            yield (number, name), written


def wrong_labels(recipe: Recipe) -> Iterator[Wrong]:
    """Yield what is wrong with the labels of stages and verifiers, and with those in `export`."""
    yield from _wrong_stages(recipe)
    verifiers = [label for _, label in _verifiers(recipe)]
    for number, (at, label) in enumerate(_verifiers(recipe)):
        if label in verifiers[:number]:
            why = "another one is called so; name it with `as`"
            yield at, f"no verifier may be called {label!r}: {why}"
    dpo = recipe.export.dpo
    for number, label in enumerate(dpo.rejected_by if dpo else ()):
        if label not in verifiers:
            hint = did_you_mean(label, verifiers) or "The recipe has none."
            at = ("export", "dpo", "rejected_by", number)
            yield at, f"no verifier is called {label!r} here. {hint}"


def _wrong_stages(recipe: Recipe) -> Iterator[Wrong]:
    taken = {SEEDS: "that is what comes before the first stage"}
    for (number, name), written in named_stages(recipe):
        label, at = label_of(written), ("stages", number, name, "as")
        if label in taken:
            yield at, f"no stage may be called {label!r}: {taken[label]}; name it with `as`"
        if not re.fullmatch(r"[\w-]+", label):
            yield at, f"`as` wants letters, digits, - and _, got {label!r}"
        taken[label] = "another stage is called so"


def _verifiers(recipe: Recipe) -> Iterator[tuple[Location, str]]:
    """Yield where each verifier stands and its label."""
    for (number, name), written in named_stages(recipe):
        uses: Any = written[name].get("verifiers", ())
        listed = cast("list[Any]", uses if isinstance(uses, list | tuple) else [])
        for place, use in enumerate(listed):
            yield from _labelled(use, ("stages", number, name, "verifiers", place))


def _labelled(use: Any, at: Location) -> Iterator[tuple[Location, str]]:
    with suppress(ValueError):
        named = named_options(use)
        ((name, _),) = named.items()
        yield (*at, name, "as"), label_of(named)
