"""The field `code` of a record whose reply is replaced: it must not tell of the old one."""

from __future__ import annotations

from typing import Any

from synth.answers.blocks import CodeBlock
from synth.record import Record


def code_after(record: Record, reply: str) -> dict[str, Any]:
    """Return the field `code` for a record with a new reply; nothing if it has no such field.

    A code that stood in the old reply gives way to the only block of its language in the new one;
    where there is no such block to null, so that who looks for code finds out why. A code from
    elsewhere stays.
    """
    blocks = CodeBlock.all_in(record.reply)
    old = next((one for one in blocks if one.code == record.fields.get("code")), None)
    if old is None:
        return {}
    try:
        return {"code": CodeBlock.only_in(reply, old.language or "python").code}
    except ValueError:
        return {"code": None}
