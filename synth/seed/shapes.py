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

In a pair, too, an instruction may have an `input`; and where an instruction with a reply has none,
a `context` is read as one (Dolly). A text `system` or `system_prompt` is the first turn of messages
that have no system turn.

Self-Instruct's `instances` stay a field; where the user's turn holds an input, too, the instruction
and the input stay fields beside it. A pair may consist of lists of turns. An empty reply makes no
assistant turn. `question` with `answer`, and `prompt` with `chosen` and `rejected`, are no shape:
verifiers and exports want those columns, so they stay fields.

A ShareGPT log whose later turn cannot be read, with a whole round before it, gives the turns before
it and the field `broken_turn`: why the others are missing; the log stays a field. It is a seed for
a stage that `takes_broken`, such as `clean_chats`; for others it is a bad row.

A list of turns may also be written as JSON text, the only way that CSV has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from synth.record import Message
from synth.seed.turns import is_list_of_objects, kind, listed, message, turn, turns, unpacked
from synth.seed.values import RowError, plain

_CHATS = ("messages", "conversations", "conversation")
_REPLIES = ("response", "completion")
_SYSTEM = ("system", "system_prompt")
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
        return Shaped({}, (turn("user", _said(row, "text")),))
    if not isinstance(row, dict):
        raise RowError("not_an_object", f"wanted an object or a text, found {kind(row)}")
    columns = cast("dict[str, Any]", row)
    if not columns:
        raise RowError("empty_row", "the row has no columns")
    found = _found(columns)
    if found is None:
        return Shaped(columns)
    system = system_column(found.messages, columns)
    said = (*found.columns, system)
    fields = {name: given for name, given in columns.items() if name not in said}
    if found.broken_turn:
        fields["broken_turn"] = found.broken_turn
    before = [turn("system", columns[system])] if system else []
    return Shaped(fields, (*before, *found.messages))


def system_column(messages: Sequence[Message], row: Mapping[str, Any]) -> str:
    """Return the name of the column that holds the system turn these messages lack, or ""."""
    if any(said["role"] == "system" for said in messages):
        return ""
    texts = (name for name in _SYSTEM if isinstance(row.get(name), str) and row[name].strip())
    return next(texts, "")


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
    for number, item in enumerate(listed(value, name), 1):
        try:
            messages.append(message(item, number))
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
    if "output" in row or (row.get("input") is not None and row.keys().isdisjoint(_REPLIES)):
        said = ("output",) if _has_input(row) else ("instruction", "input", "output")
        return _Found(_alpaca(row), said)
    return None


def _has_input(row: Mapping[str, Any]) -> bool:
    """Return whether the user's turn holds more than the instruction: that stays a field then."""
    return bool(_input(row).strip())


def _input(row: Mapping[str, Any]) -> str:
    context = row.get("context")
    return _text(row, "input") or (context if isinstance(context, str) else "")


def _first_instance(instances: Any) -> dict[str, Any]:
    if not is_list_of_objects(instances):
        found = kind(instances)
        raise RowError("wrong_type", f"wanted a list of objects as 'instances', found {found}")
    return cast("dict[str, Any]", instances[0]) if instances else {}


def _alpaca(row: Mapping[str, Any]) -> list[Message]:
    return [_instructed(row), *_reply(row, "output")]


def _instructed(row: Mapping[str, Any]) -> Message:
    parts = [_text(row, "instruction"), _input(row)]
    asked = "\n\n".join(part for part in parts if part.strip())
    return turn("user", _said(asked, "instruction"))


def _pair(row: dict[str, Any]) -> _Found | None:
    asked = next((name for name in ("prompt", "instruction") if row.get(name) is not None), None)
    told = next((name for name in _REPLIES if name in row), None)
    if asked is None or told is None:
        return None
    if asked == "instruction" and _has_input(row):
        return _Found([_instructed(row), *_reply(row, told)], (told,))
    return _Found([*_prompt(row, asked), *_reply(row, told)], (asked, told))


def _prompt(row: Mapping[str, Any], name: str) -> list[Message]:
    if isinstance(given := unpacked(row[name]), list):
        return turns(given, name)
    return [turn("user", _said(_text(row, name), name))]


def _reply(row: Mapping[str, Any], name: str) -> list[Message]:
    if isinstance(given := unpacked(row.get(name)), list):
        return turns(given, name) if given else []
    text = _text(row, name)
    return [turn("assistant", text)] if text.strip() else []


def _single(row: dict[str, Any]) -> _Found | None:
    (name,) = row
    if name not in _SINGLE or not isinstance(row[name], str):
        return None
    return _Found([turn("user", _said(row[name], name))], (name,))


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RowError("content_not_text", f"wanted text in {name!r}, found {kind(value)}")
    return value


def _said(text: str, name: str) -> str:
    if not text.strip():
        raise RowError("empty_row", f"the {name} is empty")
    return text
