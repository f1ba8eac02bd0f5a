"""The YAML behind a recipe: its values, where each stands, and what the command line changed."""
# yaml's loader has no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from synth.errors import Problem, RecipeError, did_you_mean
from synth.recipe.schema import label_of, named_options

Location = tuple[str | int, ...]
_KINDS: dict[type[Any], str] = {yaml.SequenceNode: "a list", yaml.ScalarNode: "text"}


class _Loader(yaml.SafeLoader):
    """YAML as JSON knows it: keys are text as written, and a date is text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        self.flatten_mapping(node)
        return {_key(key): self.construct_object(value, deep=deep) for key, value in node.value}


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _key(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    raise yaml.constructor.ConstructorError(
        None, None, "a name must be plain text, not a list or mapping", node.start_mark
    )


class Source:
    """The YAML behind a recipe: its values, and the line of each.

    `changes` (dotted path → YAML value) are made on top. A list item is named by its number,
    a stage or verifier also by its label; its options follow: `stages.respond.n`. Raises
    RecipeError for what is not YAML and for a path that leads nowhere; `problems` holds what
    hinders nothing yet.
    """

    def __init__(
        self, text: str, *, file: str, folder: Path, changes: Mapping[str, str] | None = None
    ) -> None:
        self.file = file
        self.folder = folder
        """Where relative paths of the recipe begin."""
        self.problems: list[Problem] = []
        self._lines: dict[Location, int] = {}
        self._changed: dict[Location, str] = {}
        self.value = self._parsed(text)
        for dotted, written in (changes or {}).items():
            self._note_change(_change(self.value, dotted, written), dotted)
        self.text = text if not changes else _written_anew(self.value, changes)
        """The recipe as YAML, changes included: what a run keeps."""

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            loader = _Loader(text)
            node = loader.get_single_node()
            if not isinstance(node, yaml.MappingNode):
                wanted = "wanted a recipe: `name:`, `seeds:`, `stages:` …"
                found = _KINDS.get(type(node), "nothing")
                raise RecipeError(Problem(f"{wanted}; found {found}", self.file))
            self._note(node, ())
            return loader.construct_document(node)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            said = getattr(error, "problem", None) or str(error)
            line = mark.line + 1 if mark else 0
            raise RecipeError(Problem(f"not YAML: {said}", self.file, line)) from error
        except ValueError as error:
            raise RecipeError(Problem(f"not YAML: {error}", self.file)) from error
        except RecursionError as error:
            message = "an alias holds itself, or the values are nested too deep"
            raise RecipeError(Problem(message, self.file)) from error

    def _note(self, node: yaml.Node, at: Location) -> None:
        """Remember the lines of what is in a node, and complain about names that stand twice."""
        self._lines.setdefault(at, node.start_mark.line + 1)
        if isinstance(node, yaml.SequenceNode):
            for number, item in enumerate(node.value):
                self._note(item, (*at, number))
        elif isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self._note_option(str(key.value), key.start_mark.line + 1, (value, at))

    def _note_option(self, name: str, line: int, inside: tuple[yaml.Node, Location]) -> None:
        value, around = inside
        at = (*around, name)
        if at in self._lines:
            first = self._lines[at]
            message = f"{name!r} stands twice, in line {first} and here; keep one"
            self.problems.append(Problem(message, self.file, line))
        self._lines[at] = line
        self._note(value, at)

    def _note_change(self, at: Location, dotted: str) -> None:
        """Remember who is to blame for the value at `at`, and for what was made around it."""
        self._lines = {place: n for place, n in self._lines.items() if place[: len(at)] != at}
        self._changed[at] = dotted
        for end in range(1, len(at)):
            if at[:end] not in self._lines:
                self._changed[at[:end]] = dotted

    def problem(self, message: str, at: Location) -> Problem:
        """Return a problem with the place of what stands at `at`, or of the nearest around it."""
        for end in range(len(at), 0, -1):
            if at[:end] in self._changed:
                return Problem(message, f"--set {self._changed[at[:end]]}")
            if at[:end] in self._lines:
                return Problem(message, self.file, self._lines[at[:end]])
        return Problem(message, self.file)


def _written_anew(value: Any, changes: Mapping[str, str]) -> str:
    made = "".join(f"# --set {dotted}={written!r}\n" for dotted, written in changes.items())
    return made + yaml.safe_dump(value, sort_keys=False, allow_unicode=True)


def _change(tree: dict[str, Any], dotted: str, written: str) -> Location:
    """Put a value where a dotted path leads, and return that place."""
    try:
        value = yaml.load(written, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        raise RecipeError(f"--set {dotted}: not YAML: {written!r}. Put it into quotes") from error
    *path, last = dotted.split(".")
    at: Location = ()
    inside: Any = tree
    for step in path:
        inside, further = _inside(inside, step, at, dotted)
        at += further
    return (*at, _put(inside, last, value, dotted))


def _inside(tree: Any, step: str, at: Location, dotted: str) -> tuple[Any, Location]:
    """Return what the next step of a path leads into, made if it may be, and its place."""
    if isinstance(tree, list):
        return _item(cast("list[Any]", tree), step, dotted)
    if not isinstance(tree, dict):
        place = ".".join(map(str, at))
        raise RecipeError(f"--set {dotted}: {place!r} has no options, it is {tree!r}")
    options = cast("dict[str, Any]", tree)
    if at == ("engines",) and step not in options:
        hint = did_you_mean(step, options)
        raise RecipeError(f"--set {dotted}: no engine named {step!r} in this recipe. {hint}")
    found = options.get(step)
    if at == ("engines",) and isinstance(found, str):
        found = {found: {}}
    options[step] = {} if found is None else found
    return options[step], (step,)


def _item(items: list[Any], step: str, dotted: str) -> tuple[Any, Location]:
    """Return the options of a list's item, found by its number or its label, and their place."""
    labels: list[str] = []
    for number, item in enumerate(items):
        try:
            named = named_options(item)
        except ValueError:
            continue
        labels.append(label_of(named))
        if step in (labels[-1], str(number)):
            items[number] = named
            ((name, options),) = named.items()
            return options, (number, name)
    raise RecipeError(f"--set {dotted}: no item {step!r} in the list. {did_you_mean(step, labels)}")


def _put(tree: Any, last: str, value: Any, dotted: str) -> str | int:
    if isinstance(tree, dict):
        tree[last] = value
        return last
    if isinstance(tree, list) and last.isdecimal() and int(last) < len(cast("list[Any]", tree)):
        tree[int(last)] = value
        return int(last)
    found = "the list has no such number" if isinstance(tree, list) else f"found {tree!r}"
    raise RecipeError(f"--set {dotted}: nothing to set at {last!r}: {found}")
