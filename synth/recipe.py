"""A recipe: what to make, as data. Read from YAML, frozen, without behaviour.

Names of engines, stages and verifiers are not resolved here: `run.plan` does that with plugins at hand.
Lines are remembered, so that every complaint can say where.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import Field, JsonValue, ValidationError, field_validator

from synth.errors import Problem, RecipeError, did_you_mean
from synth.frozen import Frozen

Location = tuple[str | int, ...]


class Sft(Frozen):
    """Supervised fine-tuning rows: every live record that ends with an assistant's turn."""

    test_fraction: float = Field(0.0, ge=0, lt=1)
    """Share of seed families that go to the test split."""


class Dpo(Frozen):
    """Preference pairs: a live record against one with the same prompt that a named verifier dropped."""

    rejected_by: tuple[str, ...] = Field(min_length=1)
    """Labels of the verifiers whose failures count as rejected. An error never does."""
    pairs_per_prompt: int = Field(1, ge=1)
    """At most so many pairs for one prompt; each record is used once."""
    test_fraction: float = Field(0.0, ge=0, lt=1)
    """Share of seed families that go to the test split."""


class Export(Frozen):
    """Which datasets leave the run."""

    sft: Sft | None = None
    dpo: Dpo | None = None


class Recipe(Frozen):
    """What to make: seeds, engines, stages, export."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")
    """What the run folder and the dataset are called."""
    description: str = ""
    """One or two sentences for the dataset card."""
    seeds: tuple[str, ...] | dict[str, int]
    """Shipped names, paths beside the recipe, `hub:org/name`; or `{count: N}` where a stage needs none."""
    engines: dict[str, dict[str, dict[str, JsonValue]]] = {}
    """Your name for it → kind → options."""
    stages: tuple[dict[str, dict[str, Any]], ...] = Field(min_length=1)
    """In order: stage name → options; `as` labels a repeated stage."""
    export: Export = Export(sft=Sft())
    max_error_rate: float = Field(0.05, ge=0, le=1)
    """Exit with 1 when a larger share of a stage's records ended in an error."""
    seed: int = 0
    """Another number gives another dataset: every random choice and every call depends on it."""

    @field_validator("seeds")
    @classmethod
    def _seeds_are_named_or_counted(cls, seeds: Any) -> Any:
        if isinstance(seeds, dict) and (set(seeds) != {"count"} or seeds["count"] < 1):
            raise ValueError("wants a list of names and paths, or {count: N} with N at least 1")
        if not seeds:
            raise ValueError("wants at least one name or path")
        return seeds

    @field_validator("stages", mode="before")
    @classmethod
    def _a_bare_name_has_no_options(cls, stages: Any) -> Any:
        if not isinstance(stages, list | tuple):
            return stages
        return [_spelled_out(stage) for stage in stages]

    @field_validator("engines", mode="before")
    @classmethod
    def _an_engine_kind_may_stand_bare(cls, engines: Any) -> Any:
        if not isinstance(engines, Mapping):
            return engines
        return {name: _spelled_out(spec) for name, spec in engines.items()}


def _spelled_out(item: Any) -> Any:
    """Return `name` and `{name: null}` as `{name: {}}`."""
    if isinstance(item, str):
        return {item: {}}
    if isinstance(item, Mapping):
        return {name: {} if options is None else options for name, options in item.items()}
    return item


class Source:
    """The YAML behind a recipe: its values, and the line of each."""

    def __init__(self, text: str, *, file: str, folder: Path) -> None:
        self.text = text
        self.file = file
        self.folder = folder
        """Where relative paths of the recipe begin."""
        self.lines: dict[Location, int] = {}
        self.problems: list[Problem] = []
        self.value = self._parse(text)

    def _parse(self, text: str) -> Any:
        try:
            node = yaml.compose(text, Loader=yaml.SafeLoader)
            if node is None:
                raise RecipeError(Problem("the recipe is empty", self.file))
            self._walk(node, ())
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            said = getattr(error, "problem", None) or str(error)
            line = mark.line + 1 if mark else 0
            raise RecipeError(Problem(f"not YAML: {said}", self.file, line)) from error

    def _walk(self, node: yaml.Node, at: Location) -> None:
        self.lines[at] = node.start_mark.line + 1
        if isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                name = str(key.value)
                if name in seen:
                    self.problems.append(
                        Problem(f"{name!r} stands twice; keep one", self.file, key.start_mark.line + 1)
                    )
                seen.add(name)
                self._walk(value, (*at, name))
                self.lines[(*at, name)] = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                self._walk(value, (*at, number))

    def line(self, at: Location) -> int:
        """Return the line of the value at `at`, or of the nearest thing around it."""
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at, 0)

    def problem(self, message: str, at: Location) -> Problem:
        """Return a problem with the place of `at`."""
        return Problem(message, self.file, self.line(at))


def read(
    path: Path, *, shown: str = "", changes: Mapping[str, str] | None = None
) -> tuple[Source, Recipe]:
    """Return the recipe in a YAML file and its source, with `changes` (dotted path → YAML value) made.

    Raises RecipeError with every problem found, each with file and line.
    """
    shown = shown or path.name
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"wanted a recipe, could not read {shown!r}: {error}") from error
    return parse(text, file=shown, folder=path.parent, changes=changes)


def parse(
    text: str, *, file: str, folder: Path, changes: Mapping[str, str] | None = None
) -> tuple[Source, Recipe]:
    """Return the recipe that `text` spells; its paths begin at `folder`. Raises RecipeError."""
    source = Source(text, file=file, folder=folder)
    for dotted, value in (changes or {}).items():
        _change(source.value, dotted, value)
    try:
        recipe = Recipe.model_validate(source.value)
    except ValidationError as error:
        raise RecipeError([*source.problems, *explain(error, source, (), Recipe)]) from error
    if source.problems:
        raise RecipeError(source.problems)
    return source, recipe


def _change(tree: Any, dotted: str, value: str) -> None:
    *path, last = dotted.split(".")
    for step in path:
        if isinstance(tree, list):
            tree = _item(tree, step, dotted)
        elif isinstance(tree, dict):
            tree = tree.setdefault(step, {})
    if not isinstance(tree, dict):
        raise RecipeError(f"--set {dotted}: there is nothing at {'.'.join(path)!r} that has options")
    tree[last] = yaml.safe_load(value)


def _item(items: list[Any], step: str, dotted: str) -> Any:
    if step.isdigit() and int(step) < len(items):
        return items[int(step)]
    for item in items:
        if isinstance(item, dict) and (step in item or any(
            isinstance(options, dict) and options.get("as") == step for options in item.values()
        )):
            return item if step in item else {step: next(iter(item.values()))}
    raise RecipeError(f"--set {dotted}: no item {step!r} in the list")


def explain(
    error: ValidationError, source: Source, at: Location, model: type[Frozen] | None
) -> list[Problem]:
    """Return what pydantic found as problems with lines; an unknown name comes with the nearest known one."""
    problems: list[Problem] = []
    errors = error.errors(include_url=False)
    for found in errors:
        if _follows_from_another(found, errors):
            continue
        where = (*at, *found["loc"])
        name = ".".join(str(step) for step in found["loc"]) or "recipe"
        if found["type"] == "extra_forbidden":
            fields = _fields_at(model, found["loc"][:-1])
            message = f"no option {found['loc'][-1]!r} here. {did_you_mean(str(found['loc'][-1]), fields)}"
        elif found["type"] == "missing":
            message = f"{name} is missing"
        elif found["type"] == "value_error":
            message = f"{name}: {found['msg'].removeprefix('Value error, ')}"
        else:
            message = f"{name}: {found['msg'][0].lower() + found['msg'][1:]}, got {found['input']!r}"
        problems.append(source.problem(message.strip(), where))
    return problems


def _follows_from_another(found: Any, errors: Sequence[Any]) -> bool:
    """Whether a list is only too short because of what was wrong inside it."""
    loc = found["loc"]
    return found["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in errors
    )


def _fields_at(model: Any, path: Location) -> list[str]:
    for step in path:
        field = getattr(model, "model_fields", {}).get(step)
        if field is None:
            continue
        choices = [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((c for c in choices if hasattr(c, "model_fields")), model)
    return list(getattr(model, "model_fields", {}))
