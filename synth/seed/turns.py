"""Turns of a conversation as datasets write them, as messages.

A turn is {role, content} or {from, value}; it keeps `name`, `tool_calls`, `tool_call_id` and its
reasoning (`reasoning` or `reasoning_content`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from json import JSONDecodeError
from typing import Any, cast

from synth.record import Message
from synth.seed.values import RowError, plain

_ROLES = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "human": "user",
    "assistant": "assistant",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "bot": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "tool": "tool",
    "function": "tool",
    "observation": "tool",
}
_KNOWN_ROLES = ", ".join(sorted(_ROLES))


def turns(value: Any, name: str) -> list[Message]:
    """Return turns of {role, content} or {from, value} as messages.

    Raises RowError for what is none, and for an empty list; `name` says where it stood.
    """
    return [message(item, number) for number, item in enumerate(listed(value, name), 1)]


def listed(value: Any, name: str) -> list[Any]:
    """Return a list as it is or out of JSON text. Raises RowError for no list and an empty one."""
    found = _from_json(value) if isinstance(value, str) else value
    if not isinstance(found, list):
        raise RowError("no_messages", f"wanted a list of turns as {name!r}, found {kind(found)}")
    if not found:
        raise RowError("no_messages", f"{name!r} is empty")
    return cast("list[Any]", found)


def unpacked(value: Any) -> Any:
    """Return a list of turns instead of the JSON text of one; all else as it is.

    A text that is JSON of another kind stays one: it may be what somebody said.
    """
    if not isinstance(value, str) or not value.lstrip().startswith("["):
        return value
    found = _from_json(value)
    return found if is_list_of_objects(found) and all(map(_has_role, found)) else value


def _has_role(item: dict[str, Any]) -> bool:
    return ("role" in item and "content" in item) or ("from" in item and "value" in item)


def _from_json(text: str) -> Any:
    try:
        return plain(json.loads(text))
    except (JSONDecodeError, RecursionError):
        return text


def message(value: Any, number: int) -> Message:
    """Return one turn as a message; `number` (from 1) says which. Raises RowError."""
    if not isinstance(value, dict):
        raise RowError("no_messages", f"turn {number} is {kind(value)}, wanted an object")
    given = cast("dict[str, Any]", value)
    written = given.get("role", given.get("from"))
    role = _ROLES.get(written.lower()) if isinstance(written, str) else None
    if role is None:
        raise RowError(
            "unknown_role", f"turn {number} has the role {written!r}; known: {_KNOWN_ROLES}"
        )
    content = given.get("content", given.get("value"))
    made = turn(role, _content(content, number, may_be_absent=bool(given.get("tool_calls"))))
    _add_extras(made, given, number)
    return made


def turn(role: str, content: str) -> Message:
    """Return a message of one turn."""
    return {"role": role, "content": content}


def _content(content: Any, number: int, *, may_be_absent: bool) -> str:
    if isinstance(content, str):
        return content
    if content is None and may_be_absent:
        return ""
    if isinstance(content, list) and content:
        return "\n".join(_part(part, number) for part in cast("list[Any]", content))
    raise RowError("content_not_text", f"turn {number} holds {kind(content)}, wanted text")


def _part(part: Any, number: int) -> str:
    given = cast("dict[str, Any]", part) if isinstance(part, dict) else {}
    if given.get("type") != "text" or not isinstance(given.get("text"), str):
        found = repr(given["type"]) if "type" in given else kind(part)
        raise RowError("content_not_text", f"turn {number} has a part {found}, wanted 'text'")
    return cast("str", given["text"])


def _add_extras(message: Message, given: Mapping[str, Any], number: int) -> None:
    reasoning = given.get("reasoning") or given.get("reasoning_content")
    if isinstance(reasoning, str):
        message["reasoning"] = reasoning
    if isinstance(name := given.get("name"), str):
        message["name"] = name
    if isinstance(call_id := given.get("tool_call_id"), str):
        message["tool_call_id"] = call_id
    if calls := given.get("tool_calls"):
        message["tool_calls"] = _tool_calls(calls, number)


def _tool_calls(calls: Any, number: int) -> list[dict[str, Any]]:
    if not is_list_of_objects(calls):
        raise RowError("wrong_type", f"turn {number}: wanted a list of objects as 'tool_calls'")
    return cast("list[dict[str, Any]]", calls)


def is_list_of_objects(value: Any) -> bool:
    """Return whether it is a list of nothing but objects."""
    return isinstance(value, list) and all(
        isinstance(item, dict) for item in cast("list[Any]", value)
    )


def kind(value: Any) -> str:
    """Return what a value is called in messages, as in `a list`."""
    kinds: tuple[tuple[type, str], ...] = (
        (dict, "an object"),
        (list, "a list"),
        (str, "a text"),
        (bool, "a truth value"),
        (int, "a number"),
        (float, "a number"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")
