"""The calls in a model's reply, read and held against what was offered and what was wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from synth.engine.base import Completion
from synth.record import canonical
from synth.stages.parts.replies import MalformedError, answer_in, json_in, whole_reply
from synth.stages.parts.tool_specs import Tool

_LONGEST = 300
_OPEN = ("$ref", "allOf", "anyOf", "oneOf", "patternProperties", "additionalProperties",
         "unevaluatedProperties")  # fmt: skip
_CALL_MARKS = ("<tool_call>", "<function_call>", "<function=", "[TOOL_CALLS]")


@dataclass(frozen=True, slots=True)
class Call:
    """One call."""

    name: str
    arguments: dict[str, Any]

    @property
    def text(self) -> str:
        """The arguments as JSON text: equal arguments, equal text."""
        return canonical(self.arguments)

    def message(self, number: int) -> dict[str, Any]:
        """Return it as an assistant's message holds it, with the id `call_<number>`."""
        function = {"name": self.name, "arguments": self.text}
        return {"id": f"call_{number}", "type": "function", "function": function}


def raw_reply(said: Completion) -> str:
    """Return what the model said as one text; with its native calls as JSON if there are any."""
    if not said.tool_calls:
        return said.text
    return canonical({"text": said.text, "tool_calls": said.tool_calls})


def native_calls(said: Completion) -> list[Call]:
    """Return the calls that the server found in a reply; none if it is words alone.

    Raises MalformedError: `cut_off_calls`, `not_json`, `bad_call`.
    """
    if said.finish_reason == "length":
        raise MalformedError("cut_off_calls: the reply did not end within `max_tokens`")
    return [_call(_function(given)) for given in said.tool_calls]


def written_calls(said: Completion) -> list[Call]:
    """Return the calls of a reply that is a JSON list of objects with `name` and `arguments`.

    One object alone is a list of one. Raises MalformedError: `not_json`, `bad_call`, and as
    `answer_in` does.
    """
    value = json_in(answer_in(said, "calls"))
    return [_call(one) for one in _as_list(value)]


def result_in(said: Completion) -> str:
    """Return a tool's result as canonical JSON text.

    Raises MalformedError, with the raw reply: `result_not_json`, and as `answer_in` does.
    """
    text = answer_in(said, "result")
    try:
        return canonical(json_in(text))
    except (ValueError, RecursionError) as error:
        wrong = "result_not_json: wanted a JSON value from the tool, found none"
        raise MalformedError(wrong, raw=said.text) from error


def _as_list(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else [value]


def _function(given: Any) -> Any:
    return cast("Mapping[str, Any]", given).get("function") if isinstance(given, Mapping) else None


def _call(given: Any) -> Call:
    if not isinstance(given, dict):
        raise MalformedError(f"bad_call: wanted an object with a `name`, found {_short(given)}")
    held = cast("dict[str, Any]", given)
    name, arguments = held.get("name"), held.get("arguments", {})
    if isinstance(arguments, str):
        arguments = _parsed(arguments)
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise MalformedError(
            f"bad_call: wanted `name` and an object as `arguments`, found {_short(held)}"
        )
    call = Call(name, cast("dict[str, Any]", arguments))
    try:
        json.loads(call.text)
    except (ValueError, RecursionError) as error:
        raise MalformedError("not_json: the arguments cannot be written as JSON") from error
    return call


def _parsed(text: str) -> Any:
    try:
        return json.loads(text or "{}", parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"not_json: the arguments are {_short(text)}") from error


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def check_calls(calls: Sequence[Call], wanted: Sequence[str], shown: Sequence[Tool]) -> None:
    """Raise MalformedError unless `calls` are valid calls of `shown`, of the tools `wanted`.

    They may come in any order; a tool wanted twice must be called twice, with other arguments.
    """
    if calls and not wanted:
        raise MalformedError(f"call_not_wanted: no call fits, found one of {calls[0].name!r}")
    if wanted and not calls:
        raise MalformedError(f"no_call: wanted a call of {wanted[0]!r}, found none")
    tools = {tool.name: tool for tool in shown}
    for call in calls:
        _check_call(call, tools)
    _check_together(calls, wanted)


def _check_call(call: Call, tools: Mapping[str, Tool]) -> None:
    if call.name not in tools:
        offered = ", ".join(tools)
        raise MalformedError(f"unknown_tool: {_short(call.name)} was not offered ({offered} were)")
    tool = tools[call.name]
    errors: list[Any] = sorted(
        tool.validator.iter_errors(call.arguments), key=lambda error: error.json_path
    )
    for error in errors:
        absent = error.json_path == "$" and error.validator == "required"
        code = "missing_argument" if absent else "invalid_arguments"
        said = error.message[:_LONGEST]
        raise MalformedError(f"{code}: {call.name}: {said} at {error.json_path}")
    _check_known(call, tool)


def _check_known(call: Call, tool: Tool) -> None:
    """Refuse an argument that a schema of plain properties does not name."""
    if any(keyword in tool.parameters for keyword in _OPEN):
        return
    known = tool.parameters.get("properties", {})
    if unknown := [name for name in call.arguments if name not in known]:
        raise MalformedError(f"unknown_argument: {call.name} has no {_short(unknown[0])}")


def _check_together(calls: Sequence[Call], wanted: Sequence[str]) -> None:
    if len({(call.name, call.text) for call in calls}) < len(calls):
        raise MalformedError("duplicate_call: two calls are equal")
    if len(calls) != len(wanted):
        code = "too_few_calls" if len(calls) < len(wanted) else "too_many_calls"
        raise MalformedError(f"{code}: wanted {len(wanted)}, found {len(calls)}")
    names = sorted(call.name for call in calls)
    if names != sorted(wanted):
        raise MalformedError(f"wrong_tool: wanted {', '.join(wanted)}; found {', '.join(names)}")


def words_in(said: Completion) -> tuple[str, str]:
    """Return the answer in words that a reply is, and its thinking.

    Raises MalformedError, with the raw reply: `call_not_wanted`, `call_in_words` if it is a call
    that no server has read, and as `whole_reply` does.
    """
    if said.tool_calls:
        wrong = "call_not_wanted: wanted words for the user, found a call"
        raise MalformedError(wrong, raw=raw_reply(said))
    text, reasoning = whole_reply(said, "answer")
    if any(mark in text for mark in _CALL_MARKS) or _is_call(text):
        wrong = "call_in_words: wanted words for the user, found a call"
        raise MalformedError(wrong, raw=said.text)
    return text, reasoning


def _is_call(text: str) -> bool:
    if not text.startswith(("{", "[", "```")):
        return False
    try:
        first: Any = next(iter(_as_list(json_in(text))), None)
    except MalformedError:
        return False
    return isinstance(first, dict) and {"name", "arguments"} <= {*cast("dict[str, Any]", first)}


def _short(value: Any) -> str:
    return repr(value)[:_LONGEST]
