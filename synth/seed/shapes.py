"""From a row to a seed: known shapes become messages, everything else becomes fields.

The first shape that a row has is taken. Its columns move into the messages, the others stay as
fields; a column that is null counts as absent.

| shape | columns | messages |
|---|---|---|
| text | a bare JSON text | one user turn |
| chat | `messages`: turns {role, content} | as they are |
| ShareGPT | `conversations` or `conversation`: turns {from, value} | roles renamed |
| Self-Instruct | `instruction`, `instances`: list of {input, output} | as Alpaca, of the first |
| Alpaca | `instruction` with `input` or `output` | instruction, blank line, input; output |
| pair | `prompt` or `instruction` with `response` or `completion` | user, assistant |
| single | nothing but `instruction`, `prompt` or `question` | one user turn |

Self-Instruct's `instances` stay a field; where the user's turn holds an input, too, the instruction
(and Alpaca's input) stay fields beside it. A pair may consist of lists of turns. An empty reply
makes no assistant turn. `question` with `answer`, and `prompt` with `chosen` and `rejected`, are no
shape: verifiers and exports want those columns, so they stay fields.

A ShareGPT log whose later turn cannot be read, with a whole round before it, gives the turns before
it and the field `broken_turn`: why the others are missing; the log stays a field. It is a seed for
a stage that `takes_broken`, such as `clean_chats`; for others it is a bad row.

A turn keeps `name`, `tool_calls`, `tool_call_id` and its reasoning (`reasoning` or
`reasoning_content`). A list of turns may also be written as JSON text, the only way that CSV has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from json import JSONDecodeError
from typing import Any, NamedTuple, cast

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
_CHATS = ("messages", "conversations", "conversation")
_SINGLE = ("instruction", "prompt", "question")


class Shaped(NamedTuple):
    """What a row says: fields and messages."""

    fields: dict[str, Any]
    messages: tuple[Message, ...] = ()


class _Found(NamedTuple):
    messages: list[Message]
    columns: tuple[str, ...]
    """The columns that the messages were made of."""
    broken_turn: str = ""
    """Why the messages end before the log does."""


def shaped(value: Any) -> Shaped:
    """Return the fields and messages of a row's value. Raises RowError if it can be no seed."""
    row = plain(value)
    if isinstance(row, str):
        return Shaped({}, (_turn("user", _said(row, "text")),))
    if not isinstance(row, dict):
        raise RowError("not_an_object", f"wanted an object or a text, found {_kind(row)}")
    columns = cast("dict[str, Any]", row)
    if not columns:
        raise RowError("empty_row", "the row has no columns")
    found = _found(columns)
    if found is None:
        return Shaped(columns)
    fields = {name: given for name, given in columns.items() if name not in found.columns}
    if found.broken_turn:
        fields["broken_turn"] = found.broken_turn
    return Shaped(fields, tuple(found.messages))


def _found(row: dict[str, Any]) -> _Found | None:
    for name in _CHATS:
        if row.get(name) is not None:
            return _chat(row[name], name)
    found = _instruction(row) or _pair(row)
    if found is None and len(row) == 1:
        found = _single(row)
    if found is None and any(name in row for name in _CHATS):
        raise RowError("no_messages", "the column of the messages is null")
    return found


def _chat(value: Any, name: str) -> _Found:
    messages: list[Message] = []
    for number, turn in enumerate(_listed(value, name), 1):
        try:
            messages.append(_message(turn, number))
        except RowError as error:
            if name == "messages" or not _holds_a_round(messages):
                raise
            return _Found(messages, (), str(error))
    return _Found(messages, (name,))


def _holds_a_round(messages: list[Message]) -> bool:
    return {"user", "assistant"} <= {message["role"] for message in messages}


def _instruction(row: dict[str, Any]) -> _Found | None:
    if row.get("instruction") is None:
        return None
    if row.get("instances") is not None:
        first = {**_first_instance(row["instances"]), "instruction": row["instruction"]}
        return _Found(_alpaca(first), () if _has_input(first) else ("instruction",))
    if row.get("input") is not None or "output" in row:
        said = ("output",) if _has_input(row) else ("instruction", "input", "output")
        return _Found(_alpaca(row), said)
    return None


def _has_input(row: Mapping[str, Any]) -> bool:
    """Return whether the user's turn holds more than the instruction: that stays a field then."""
    return bool(_text(row, "input").strip())


def _first_instance(instances: Any) -> dict[str, Any]:
    if not _is_list_of_objects(instances):
        found = _kind(instances)
        raise RowError("wrong_type", f"wanted a list of objects as 'instances', found {found}")
    return cast("dict[str, Any]", instances[0]) if instances else {}


def _alpaca(row: Mapping[str, Any]) -> list[Message]:
    parts = [_text(row, "instruction"), _text(row, "input")]
    asked = "\n\n".join(part for part in parts if part.strip())
    return [_turn("user", _said(asked, "instruction")), *_reply(row, "output")]


def _pair(row: dict[str, Any]) -> _Found | None:
    asked = next((name for name in ("prompt", "instruction") if row.get(name) is not None), None)
    told = next((name for name in ("response", "completion") if name in row), None)
    if asked is None or told is None:
        return None
    return _Found([*_prompt(row, asked), *_reply(row, told)], (asked, told))


def _prompt(row: Mapping[str, Any], name: str) -> list[Message]:
    if isinstance(row[name], list):
        return turns(row[name], name)
    return [_turn("user", _said(_text(row, name), name))]


def _reply(row: Mapping[str, Any], name: str) -> list[Message]:
    if isinstance(given := row.get(name), list):
        return turns(given, name) if given else []
    text = _text(row, name)
    return [_turn("assistant", text)] if text.strip() else []


def _single(row: dict[str, Any]) -> _Found | None:
    (name,) = row
    if name not in _SINGLE or not isinstance(row[name], str):
        return None
    return _Found([_turn("user", _said(row[name], name))], (name,))


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RowError("content_not_text", f"wanted text in {name!r}, found {_kind(value)}")
    return value


def _said(text: str, name: str) -> str:
    if not text.strip():
        raise RowError("empty_row", f"the {name} is empty")
    return text


def turns(value: Any, name: str) -> list[Message]:
    """Return turns of {role, content} or {from, value} as messages.

    Raises RowError for what is none, and for an empty list; `name` says where it stood.
    """
    return [_message(turn, number) for number, turn in enumerate(_listed(value, name), 1)]


def _listed(value: Any, name: str) -> list[Any]:
    turns = _from_json(value) if isinstance(value, str) else value
    if not isinstance(turns, list):
        raise RowError("no_messages", f"wanted a list of turns as {name!r}, found {_kind(turns)}")
    if not turns:
        raise RowError("no_messages", f"{name!r} is empty")
    return cast("list[Any]", turns)


def _from_json(text: str) -> Any:
    try:
        return plain(json.loads(text))
    except (JSONDecodeError, RecursionError):
        return text


def _message(turn: Any, number: int) -> Message:
    if not isinstance(turn, dict):
        raise RowError("no_messages", f"turn {number} is {_kind(turn)}, wanted an object")
    given = cast("dict[str, Any]", turn)
    written = given.get("role", given.get("from"))
    role = _ROLES.get(written.lower()) if isinstance(written, str) else None
    if role is None:
        raise RowError(
            "unknown_role", f"turn {number} has the role {written!r}; known: {_KNOWN_ROLES}"
        )
    content = given.get("content", given.get("value"))
    message = _turn(role, _content(content, number, may_be_absent=bool(given.get("tool_calls"))))
    _add_extras(message, given, number)
    return message


_KNOWN_ROLES = ", ".join(sorted(_ROLES))


def _turn(role: str, content: str) -> Message:
    return {"role": role, "content": content}


def _content(content: Any, number: int, *, may_be_absent: bool) -> str:
    if isinstance(content, str):
        return content
    if content is None and may_be_absent:
        return ""
    if isinstance(content, list) and content:
        return "\n".join(_part(part, number) for part in cast("list[Any]", content))
    raise RowError("content_not_text", f"turn {number} holds {_kind(content)}, wanted text")


def _part(part: Any, number: int) -> str:
    given = cast("dict[str, Any]", part) if isinstance(part, dict) else {}
    if given.get("type") != "text" or not isinstance(given.get("text"), str):
        found = repr(given["type"]) if "type" in given else _kind(part)
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
    if not _is_list_of_objects(calls):
        raise RowError("wrong_type", f"turn {number}: wanted a list of objects as 'tool_calls'")
    return cast("list[dict[str, Any]]", calls)


def _is_list_of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) for item in cast("list[Any]", value)
    )


def _kind(value: Any) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (dict, "an object"),
        (list, "a list"),
        (str, "a text"),
        (bool, "a truth value"),
        (int, "a number"),
        (float, "a number"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), "null")
