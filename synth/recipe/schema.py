"""What a recipe may spell: seeds, engines, stages, export, and the form of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field, field_validator

from synth.frozen import Frozen

BROKEN: dict[str, Any] = {}
"""Stands where a stage or an engine was refused already; known by being this very object."""


class Sft(Frozen):
    """Supervised fine-tuning rows: every live record that ends with an assistant's turn."""

    test_fraction: float = Field(default=0.0, ge=0, lt=1)
    """Share of seed families that go to the test split."""


class Dpo(Frozen):
    """Preference pairs: a live record against one with its prompt that a named verifier dropped."""

    rejected_by: tuple[str, ...] = Field(min_length=1)
    """Labels of the verifiers whose failures count as rejected. An error never does."""
    pairs_per_prompt: int = Field(default=1, ge=1)
    """At most so many pairs for one prompt; each record is used once."""
    test_fraction: float = Field(default=0.0, ge=0, lt=1)
    """Share of seed families that go to the test split."""


class Export(Frozen):
    """Which datasets leave the run."""

    sft: Sft | None = None
    dpo: Dpo | None = None


def named_options(written: Any) -> dict[str, dict[str, Any]]:
    """Return `name` and `{name: null}` as `{name: {}}`.

    Raises ValueError for two names, and for options of another form.
    """
    if written is BROKEN or isinstance(written, str):
        return {written: {}} if isinstance(written, str) else {}
    if not isinstance(written, Mapping) or not written:
        raise ValueError(f"wants a name, or a name and its options, got {written!r}")
    given = cast("Mapping[str, Any]", written)
    if len(given) > 1:
        raise ValueError(
            f"wants one name, got {' and '.join(map(repr, given))}; "
            "options stand below the name, indented further"
        )
    ((name, options),) = given.items()
    if options is not None and not isinstance(options, Mapping):
        raise ValueError(f"{name} wants options, `{name}: {{option: value}}`, got {options!r}")
    return {name: dict(cast("Mapping[str, Any]", options or {}))}


Named = Annotated[dict[str, dict[str, Any]], BeforeValidator(named_options)]
"""One name → its options; as YAML also the bare name."""


class Recipe(Frozen):
    """What to make: seeds, engines, stages, export."""

    name: str
    """What the run folder and the dataset are called."""
    description: str = ""
    """One or two sentences for the dataset card."""
    seeds: tuple[str, ...] | dict[str, int]
    """Shipped names, paths beside the recipe, `hub:org/name`; or `{count: N}` empty ones."""
    engines: dict[str, Named] = Field(default={})
    """Your name for it → kind → options."""
    stages: tuple[Named, ...] = Field(min_length=1)
    """In order: stage name → options; `as` labels a repeated stage."""
    export: Export = Export(sft=Sft())
    max_error_rate: float = Field(default=0.05, ge=0, le=1)
    """Exit with 1 when a larger share of a stage's records ended in an error."""
    seed: int = 0
    """Another number gives another dataset: every random choice and every call depends on it."""

    @field_validator("name")
    @classmethod
    def _the_name_can_be_a_folder(cls, name: str) -> str:
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            return name
        raise ValueError(f"wants letters, digits, `_`, `.` and `-` only, got {name!r}")

    @field_validator("seeds", mode="before")
    @classmethod
    def _seeds_are_named_or_counted(cls, seeds: Any) -> Any:
        if _counted(seeds) or _named(seeds):
            return seeds
        raise ValueError(
            f"wants a list of names and paths, or {{count: N}} with N at least 1, got {seeds!r}"
        )


def _counted(seeds: Any) -> bool:
    if not isinstance(seeds, Mapping):
        return False
    given = cast("Mapping[str, Any]", seeds)
    return set(given) == {"count"} and type(given["count"]) is int and given["count"] > 0


def _named(seeds: Any) -> bool:
    if not isinstance(seeds, list | tuple) or not seeds:
        return False
    return all(isinstance(name, str) for name in cast("list[Any]", seeds))


def label_of(written: Mapping[str, Mapping[str, Any]]) -> str:
    """Return what a stage or a verifier is called: its `as`, else its name after any colon."""
    ((name, options),) = written.items()
    label = options.get("as", name.rpartition(":")[2])
    return "" if label is None else str(label)
