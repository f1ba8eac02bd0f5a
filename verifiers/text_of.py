"""Which text of a record a verifier judges, and what it says where there is none."""

from __future__ import annotations

from typing import Literal

from synth import Record, Verdict

Of = Literal["reply", "instruction", "all"]
"""`reply`: the last message, if the assistant wrote it. `instruction`: the last user turn, else the
seed's own field. `all`: the text of every message, with a blank line between."""


def text_of(record: Record, of: Of) -> str | None:
    """Return the text, or None where the record has none. A turn that says nothing is ""."""
    if of == "reply":
        return _reply(record)
    if of == "instruction":
        return record.instruction or None
    return "\n\n".join(message["content"] for message in record.messages) or None


def _reply(record: Record) -> str | None:
    if not record.messages or record.messages[-1]["role"] != "assistant":
        return None
    said = record.messages[-1]["content"]
    # A turn that only calls tools has nothing to read; one that holds neither is an empty answer.
    return None if not said and record.messages[-1].get("tool_calls") else said


def nothing_to_judge(of: Of) -> Verdict:
    """Return the verdict on a record that has no such text, or a blank one."""
    missing = {
        "reply": "no reply of the assistant, or a blank one",
        "instruction": "no instruction, or a blank one",
        "all": "no message with text",
    }
    return Verdict.abstained("nothing_to_judge", missing[of])
