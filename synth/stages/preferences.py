"""Take pairs of replies apart, so that each can be judged; the `dpo` export pairs them again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, cast

from synth.record import Message, Record
from synth.services import Services
from synth.stage import Stage

_PAIR = ("chosen", "rejected")


class Preferences(Stage):
    """Make of a row with `prompt`, `chosen` and `rejected` one record for each of the two replies.

    The children hold the conversation that their reply ends, and the field `preference`: `chosen`
    or `rejected`. A verifier `field: {of: preference, equals: chosen, as: preferred}` then sets the
    rejected ones aside, and an export `dpo: {rejected_by: [preferred]}` pairs each with what is
    left of the chosen ones.

    Known forms are those of TRL: texts; lists of turns that hold the reply alone, with a `prompt`
    of text or turns; and lists of whole conversations, whose common beginning is the prompt.

    Dropped: `no_pair` (one of the two is missing, or no conversation), `same_reply` (both say the
    same, white space apart), `unlike_prompts` (the two do not answer the same).
    """

    name: ClassVar[str] = "preferences"

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the two children, or the record dropped with the reason."""
        try:
            chosen, rejected = (_conversation(record, name) for name in _PAIR)
            _refuse_no_choice(chosen, rejected)
        except _NoPairError as error:
            return [record.drop("filter", by=services.label, reason=str(error))]
        return [
            record.child(
                services.label,
                number,
                messages=messages,
                fields={"preference": name, "prompt": None, **dict.fromkeys(_PAIR)},
            )
            for number, (name, messages) in enumerate(zip(_PAIR, (chosen, rejected), strict=True))
        ]


class _NoPairError(ValueError):
    """The two replies make no pair; the message is the reason of the drop."""


def _conversation(record: Record, name: str) -> list[Message]:
    """Return the prompt and the reply. Raises _NoPairError with the reason where there is none."""
    said = record.fields.get(name)
    asked = record.fields.get("prompt") or record.messages or record.instruction
    if isinstance(said, str):
        said = [{"role": "assistant", "content": said}]
    turns = _turns(said, name)
    if turns[0]["role"] == "assistant":
        turns = [*_turns(_asking(asked), "prompt"), *turns]
    if turns[-1]["role"] != "assistant" or not turns[-1]["content"].strip():
        raise _NoPairError(f"no_pair: {name!r} does not end with a reply of the assistant")
    return turns


def _asking(prompt: Any) -> Any:
    if not isinstance(prompt, str):
        return prompt
    return [{"role": "user", "content": prompt}] if prompt.strip() else None


def _turns(value: Any, name: str) -> list[Message]:
    if not isinstance(value, list | tuple) or not value:
        raise _NoPairError(f"no_pair: {name!r} holds no text and no turns")
    turns = cast("Sequence[Any]", value)
    for turn in turns:
        told = cast("dict[str, Any]", turn) if isinstance(turn, dict) else {}
        if not isinstance(told.get("content"), str) or "role" not in told:
            raise _NoPairError(f"no_pair: {name!r} holds a turn without role and content")
    return [cast("Message", turn) for turn in turns]


def _refuse_no_choice(chosen: list[Message], rejected: list[Message]) -> None:
    if [*chosen[:-1]] != [*rejected[:-1]]:
        raise _NoPairError("unlike_prompts: the two replies do not answer the same conversation")
    if chosen[-1]["content"].split() == rejected[-1]["content"].split():
        raise _NoPairError("same_reply: the two replies say the same")
