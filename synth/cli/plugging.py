"""The commands about plugins: what is installed, and what one does."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from synth.cli.text import say, say_json, table
from synth.errors import PluginError
from synth.plugins import KINDS, Found, find, listed

_LONGEST_DEFAULT = 32
_NOTHING = frozenset({"null", "[]", "{}"})


def list_all(*, as_json: bool) -> None:
    """Print all installed plugins; none is imported."""
    found = [plugin for kind in KINDS for plugin in listed(kind)]
    if as_json:
        say_json(
            [
                {"kind": p.kind, "name": p.name, "target": p.target, "source": p.source}
                for p in found
            ]
        )
        return
    for kind in KINDS:
        say(kind)
        table([(plugin.name, plugin.source) for plugin in found if plugin.kind == kind])
    say("`synth plugins show NAME` explains one")


def show(name: str, *, as_json: bool) -> None:
    """Print what a plugin does and its options. Raises PluginError if no kind has the name."""
    shown = _find(name)
    if as_json:
        say_json([_described(kind, found) for kind, found in shown])
        return
    for kind, found in shown:
        described = _described(kind, found)
        say(f"{name}  ({kind[:-1]}, {found.source})")
        say()
        for line in described["help"].splitlines():
            say(f"  {line}".rstrip())
        say()
        if described["options"]:
            say("options")
            table(list(_rows(described["options"])))


def _find(name: str) -> list[tuple[str, Found]]:
    shown: list[tuple[str, Found]] = []
    errors: list[PluginError] = []
    for kind in KINDS:
        known = {plugin.name for plugin in listed(kind)}
        try:
            shown.append((kind, find(kind, name)))
        except PluginError as error:
            if name in known:
                raise
            errors.append(error)
    if not shown:
        raise min(errors, key=lambda error: "Did you mean" not in str(error))
    return shown


def _described(kind: str, found: Found) -> dict[str, Any]:
    schema = found.cls.model_json_schema()
    return {
        "kind": kind,
        "name": found.cls.name,
        "source": found.source,
        "help": inspect.getdoc(found.cls) or "(no description)",
        "options": list(_options(schema, schema.get("$defs", {}))),
    }


def _options(
    schema: dict[str, Any],
    models: dict[str, Any],
    within: str = "",
    given: Mapping[str, Any] | None = None,
) -> Iterator[dict[str, str]]:
    """Yield each option, and behind one that has options of its own those, with dotted names.

    `given` are defaults that the outer option has for the inner ones.
    """
    required = schema.get("required", [])
    for name, option in schema.get("properties", {}).items():
        inner = _inner(option, models)
        default = (given or {}).get(name, option.get("default"))
        shown = "…" if inner and default is not None else json.dumps(default, ensure_ascii=False)
        yield {
            "name": within + name,
            "of": str(schema.get("title", "")),
            "type": "options" if inner else _type(option),
            "default": "required" if name in required else shown,
            "help": " ".join(option.get("description", "").split()),
        }
        yield from _options(inner, models, f"{within}{name}.", default)


def _inner(option: dict[str, Any], models: dict[str, Any]) -> dict[str, Any]:
    """Return the form of an option that has options of its own, be it one that may be left out."""
    choices = [choice for choice in option.get("anyOf", [option]) if choice.get("type") != "null"]
    reference = str(choices[0].get("$ref", "")) if len(choices) == 1 else ""
    found = models.get(reference.rpartition("/")[2], {})
    return found if "properties" in found else {}


def _rows(options: Sequence[dict[str, str]]) -> Iterator[tuple[str, str, str, str]]:
    """Yield options as they are printed: of a second set of the same options what is set there."""
    known: dict[str, str] = {}
    for option in options:
        before, _, last = option["name"].rpartition(".")
        first = known.setdefault(f"{option['of']} {last}", before)
        if before and first != before and option["default"] in _NOTHING:
            continue
        default = option["default"]
        short = default if len(default) <= _LONGEST_DEFAULT else f"{default[:_LONGEST_DEFAULT]}…"
        yield option["name"], option["type"], short, option["help"]


def _type(option: dict[str, Any]) -> str:
    if "enum" in option:
        return " | ".join(map(str, option["enum"]))
    if "$ref" in option:
        return str(option["$ref"]).rpartition("/")[2]
    if "anyOf" in option:
        return " | ".join(
            _type(choice) for choice in option["anyOf"] if choice.get("type") != "null"
        )
    if option.get("type") == "array":
        return f"list of {_type(option.get('items', {}))}"
    return str(option.get("type", "any"))
