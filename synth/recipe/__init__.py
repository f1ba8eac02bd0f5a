"""A recipe: what to make, as data. Read from YAML, frozen, without behaviour.

Names of engines, stages and verifiers are not resolved here: `run.plan` does that with plugins at
hand. Lines are remembered, so that every complaint can say where; and what is wrong in one place
hides nothing that is wrong in another.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from synth.errors import Problem, RecipeError
from synth.recipe.problems import MisfitError, Wrong, described, explain
from synth.recipe.schema import (
    BROKEN,
    Dpo,
    Export,
    Named,
    Recipe,
    Sft,
    label_of,
    named_options,
)
from synth.recipe.source import Location, Source

__all__ = [
    "Dpo",
    "Export",
    "Location",
    "MisfitError",
    "Named",
    "Recipe",
    "Sft",
    "Source",
    "Wrong",
    "described",
    "explain",
    "label_of",
    "load",
    "named_options",
    "parse",
    "read",
    "understood",
]

_STAND_INS: Mapping[str, Any] = {
    "name": "unnamed",
    "seeds": {"count": 1},
    "stages": [BROKEN],
}
_ROUNDS = 8


def load(path: Path, *, shown: str = "", changes: Mapping[str, str] | None = None) -> Source:
    """Return the YAML of a recipe, with `changes` (dotted path → YAML value) made.

    Raises RecipeError if it cannot be read, is not YAML, or a change leads nowhere.
    """
    shown = shown or path.name
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise RecipeError(f"wanted a recipe, could not read {shown!r}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise RecipeError(f"wanted a recipe as UTF-8 text, {shown!r} is not: {error}") from error
    return Source(text, file=shown, folder=path.parent, changes=changes)


def read(
    path: Path, *, shown: str = "", changes: Mapping[str, str] | None = None
) -> tuple[Source, Recipe]:
    """Return the recipe in a YAML file and its source, with `changes` made.

    Raises RecipeError with every problem of form found, each with file and line.
    """
    source = load(path, shown=shown, changes=changes)
    return source, _whole(source)


def parse(
    text: str, *, file: str, folder: Path, changes: Mapping[str, str] | None = None
) -> tuple[Source, Recipe]:
    """Return the recipe that `text` spells, with `changes` made; its paths begin at `folder`.

    Raises RecipeError.
    """
    source = Source(text, file=file, folder=folder, changes=changes)
    return source, _whole(source)


def _whole(source: Source) -> Recipe:
    recipe, problems = understood(source)
    if problems:
        raise RecipeError(problems)
    return recipe


def understood(source: Source) -> tuple[Recipe, list[Problem]]:
    """Return what can be understood of a recipe, and what cannot.

    Where there are problems, the recipe holds an empty stage or engine for each one that is wrong,
    and lacks other parts that are: enough to look for further problems, nothing that can run.
    """
    tree, problems = source.value, list(source.problems)
    for round_ in range(_ROUNDS):
        try:
            recipe = Recipe.model_validate(tree)
            return recipe, sorted(problems, key=lambda problem: problem.line)
        except ValidationError as error:
            if round_ == 0:
                problems += explain(error, source, (), Recipe)
            for found in error.errors(include_url=False):
                tree = {**_STAND_INS, **_without(tree, found["loc"])}
    raise RecipeError(problems)


def _without(tree: Mapping[str, Any], at: Location) -> dict[str, Any]:
    """Return `tree` without what stands at `at`: one stage or engine, else the innermost option."""
    name, *further = at
    if further and name in ("stages", "engines"):
        return {**tree, str(name): _with_broken(tree[str(name)], further[0])}
    return _pruned(tree, at)


def _pruned(tree: Mapping[str, Any], at: Location) -> dict[str, Any]:
    name, *further = at
    inside = tree.get(str(name))
    if further and isinstance(inside, Mapping) and further[0] in inside:
        return {**tree, str(name): _pruned(cast("Mapping[str, Any]", inside), tuple(further))}
    return {option: value for option, value in tree.items() if option != name}


def _with_broken(items: Any, which: str | int) -> Any:
    if isinstance(items, Mapping):
        return {**cast("Mapping[str, Any]", items), str(which): BROKEN}
    return [BROKEN if number == which else item for number, item in enumerate(items)]
