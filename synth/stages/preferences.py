"""Take pairs of replies apart, so that each can be judged; the `dpo` export pairs them again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

from synth.record import Message, Record
from synth.seed.shapes import system_column
from synth.seed.turns import turns, unpacked
from synth.seed.values import RowError
from synth.services import Services
from synth.stage import Stage

_PAIR = ("chosen", "rejected")
_MARKS = re.compile(r"(?:^|\n\n)(Human|Assistant):")
_ROLES = {"Human": "user", "Assistant": "assistant"}


class Preferences(Stage):
    """Make of a row with `prompt`, `chosen` and `rejected` one record for each of the two replies.

    The children hold the conversation that their reply ends, and the field `preference`: `chosen`
    or `rejected`. A verifier `field: {of: preference, equals: chosen, as: preferred}` then sets the
    rejected ones aside, and an export `dpo: {rejected_by: [preferred]}` pairs each with what is
    left of the chosen ones.

    Known forms are those of TRL: texts; lists of turns that follow a `prompt` of text or turns; and
    lists of whole conversations, whose common beginning is the prompt. Turns may be of {role,
    content} or of {from, value}, in CSV as JSON text, and a reply may call tools and say nothing.
    Where there is no `prompt`, the record's own conversation or `question` is; texts without either
    are read if "Human:" and "Assistant:" mark their turns, as in hh-rlhf. A field `system` or
    `system_prompt` is the system turn of those that have none.

    Dropped: `no_pair` (one of the two is missing, or no conversation), `same_reply` (both say the
    same, white space apart), `unlike_prompts` (the two do not answer the same).
    """

    name: ClassVar[str] = "preferences"
    version: ClassVar[str] = "3"

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the two children, or the record dropped with the reason."""
        try:
            both = _conversations(record)
        except _NoPairError as error:
            return [record.drop("filter", by=services.label, reason=str(error))]
        return [
            record.child(
                services.label,
                number,
                messages=messages,
                fields={"preference": name, "prompt": None, **dict.fromkeys(_PAIR)},
            )
            for number, (name, messages) in enumerate(zip(_PAIR, both, strict=True))
        ]


class _NoPairError(ValueError):
    """The two replies make no pair; the message is the reason of the drop."""


def no_pair(record: Record) -> str:
    """Return why a record is no pair, as `code: sentence`; "" if it is one."""
    try:
        _conversations(record)
    except _NoPairError as error:
        return str(error)
    return ""


def _conversations(record: Record) -> tuple[list[Message], list[Message]]:
    chosen, rejected = (_conversation(record, name) for name in _PAIR)
    _refuse_no_choice(chosen, rejected)
    return chosen, rejected


def _conversation(record: Record, name: str) -> list[Message]:
    """Return the prompt and the reply. Raises _NoPairError with the reason where there is none."""
    told = unpacked(record.fields.get(name))
    asked = unpacked(record.fields.get("prompt")) or list(record.messages) or record.instruction
    if isinstance(told, str):
        marked = [] if asked else _marked(told)
        told = marked or [{"role": "assistant", "content": told}]
    said = _turns(told, name)
    if _is_rest(said, asked):
        said = [*_turns(_asking(asked), "prompt"), *said]
    if not _replies(said[-1]):
        raise _NoPairError(f"no_pair: {name!r} does not end with a reply of the assistant")
    if column := system_column(said, record.fields):
        said.insert(0, {"role": "system", "content": record.fields[column]})
    return said


def _marked(text: str) -> list[Message]:
    """Return the turns of a text that marks them as hh-rlhf does; none if it begins otherwise."""
    before, *parts = _MARKS.split(text)
    if before.strip() or parts[:1] != ["Human"]:
        return []
    return [
        {"role": _ROLES[who], "content": said.strip()}
        for who, said in zip(parts[::2], parts[1::2], strict=True)
    ]


def _is_rest(said: list[Message], asked: Any) -> bool:
    """Return whether turns only follow what was asked: they answer it, or do not hold it."""
    if said[0]["role"] == "assistant":
        return True
    return isinstance(asked, list) and any(turn not in said for turn in _turns(asked, "prompt"))


def _asking(prompt: Any) -> Any:
    if not isinstance(prompt, str):
        return prompt
    return [{"role": "user", "content": prompt}] if prompt.strip() else None


def _turns(value: Any, name: str) -> list[Message]:
    listed: Any = [value] if isinstance(value, dict) else value
    if not isinstance(listed, list) or not listed:
        raise _NoPairError(f"no_pair: {name!r} holds no text and no turns")
    try:
        return turns(listed, name)
    except RowError as error:
        _, _, found = str(error).partition(": ")
        raise _NoPairError(f"no_pair: {name!r} cannot be read: {found}") from error


def _replies(turn: Message) -> bool:
    said = turn["content"].strip() or turn.get("tool_calls")
    return turn["role"] == "assistant" and bool(said)


def _refuse_no_choice(chosen: list[Message], rejected: list[Message]) -> None:
    if [*chosen[:-1]] != [*rejected[:-1]]:
        raise _NoPairError("unlike_prompts: the two replies do not answer the same conversation")
    if _said(chosen[-1]) == _said(rejected[-1]):
        raise _NoPairError("same_reply: the two replies say the same")


def _said(turn: Message) -> tuple[list[str], Any]:
    return turn["content"].split(), turn.get("tool_calls")
