"""What tools a model is offered: function specifications in the OpenAI form, read and checked.

A specification that cannot be right is refused while the recipe is checked, before any call is
made.
"""

# jsonschema and referencing have no complete types.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from jsonschema import Draft202012Validator, SchemaError
from jsonschema.validators import validator_for
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NONE: dict[str, Any] = {"type": "object", "properties": {}}


@dataclass(frozen=True, slots=True)
class Tool:
    """One function that may be called."""

    name: str
    description: str
    parameters: Mapping[str, Any]
    """A JSON Schema of type `object`; the function's arguments must meet it."""

    @property
    def spec(self) -> dict[str, Any]:
        """The tool in the OpenAI form."""
        function = {
            "name": self.name,
            "description": self.description,
            "parameters": dict(self.parameters),
        }
        return {"type": "function", "function": function}

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the arguments that must be given."""
        names = self.parameters.get("required")
        return tuple(cast("list[str]", names)) if isinstance(names, list) else ()

    @property
    def validator(self) -> Any:
        """A jsonschema validator of the arguments; it never reaches for another file or host."""
        kind: Any = validator_for(self.parameters, default=Draft202012Validator)
        return kind(self.parameters, registry=Registry())


def read_tools(file: Path) -> tuple[Tool, ...]:
    """Return the tools of a file: JSON with a list of them (or one), or JSON Lines.

    Raises ValueError, naming line or tool, for what is no specification.
    """
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"wanted a file with tools, could not read {file.name!r}: {error}") from (
            error
        )
    return tools_in(_value(text, file.name))


def tools_in(value: Any) -> tuple[Tool, ...]:
    """Return the tools in a JSON value: one specification, a list of them, or its JSON text.

    Raises ValueError, naming the tool and what is wrong with it; also if there are none, or two of
    a name.
    """
    if isinstance(value, str):
        value = _value(value, "tools")
    specs = cast("list[Any]", value) if isinstance(value, list) else [value]
    tools = tuple(_tool(spec, number) for number, spec in enumerate(specs, start=1))
    if not tools:
        raise ValueError("wants at least one tool, found none")
    names = [tool.name for tool in tools]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"wants each tool once, found {twice!r} {names.count(twice)} times")
    return tools


def _value(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return [
            _line(line, name, number)
            for number, line in enumerate(text.splitlines(), start=1)
            if line.strip()
        ]


def _line(line: str, name: str, number: int) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"wanted JSON or JSON Lines with tools; {name!r}, line {number}, is neither: {error}"
        ) from error


def _tool(spec: Any, number: int) -> Tool:
    given = _object(spec, f"tool {number}")
    function = _object(given["function"], f"tool {number}") if "function" in given else given
    name = function.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(
            f"tool {number} has the name {name!r}; wanted 1 to 64 letters, digits, '_' or '-'"
        )
    description = function.get("description", "")
    if not isinstance(description, str):
        raise ValueError(f"the tool {name!r} has the description {description!r}, wanted a text")  # noqa: TRY004 (pydantic wants it)
    return Tool(name, description, _parameters(function.get("parameters", _NONE), name))


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{what} is {value!r}, wanted an object with `name` and `parameters`")  # noqa: TRY004 (pydantic wants it)
    return cast("dict[str, Any]", value)


def _parameters(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict) or cast("dict[str, Any]", value).get("type") != "object":
        raise ValueError(
            f"the tool {name!r}: `parameters` must be a JSON Schema with `type: object`, "
            f"found {value!r}"
        )
    schema = cast("dict[str, Any]", value)
    try:
        kind: Any = validator_for(schema, default=Draft202012Validator)
        kind.check_schema(schema)
        _check_references(schema)
    except SchemaError as error:
        where = error.json_path
        raise ValueError(
            f"the tool {name!r}: `parameters` is no JSON Schema: {error.message} at {where}"
        ) from error
    except Unresolvable as error:
        raise ValueError(
            f"the tool {name!r}: `parameters` refers to {error.ref!r}, which is not in it"
        ) from error
    return schema


def _check_references(schema: dict[str, Any]) -> None:
    registry: Any = Registry()
    resolver = registry.resolver_with_root(DRAFT202012.create_resource(schema))
    for reference in _references(schema):
        resolver.lookup(reference)


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        held = cast("dict[str, Any]", value)
        if isinstance(reference := held.get("$ref"), str):
            yield reference
        value = list(held.values())
    if isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from _references(inner)
