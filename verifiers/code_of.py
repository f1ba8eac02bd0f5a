"""Which code of a record a verifier judges, and what it says where there is none."""

from __future__ import annotations

from typing import Literal

from synth import CodeBlock, Record, Verdict

from .text_of import nothing_to_judge, text_of

Block = Literal["only", "last"]
"""Which fenced block of a reply is its code: the `only` one, or the `last` of several."""

REASONS = ("no_code", "several_blocks", "cut_off_code", "nothing_to_judge")
"""The codes of `no_code_in` and of the errors that `code_of` raises."""

_TAGS = {
    "python": ("python", "py", "python3"),
    "javascript": ("javascript", "js", "node", "mjs", "cjs"),
}


def code_of(
    record: Record, field: str = "code", *, block: Block = "only", language: str = "python"
) -> str:
    """Return the code in a field of the record; else that in a fenced block of its reply.

    A field that is there, other than null, counts as it stands, whatever the reply says. Of the
    reply count the blocks that are tagged with the language, or with nothing. With `block: last`
    the last tagged one counts; one without a tag, which may show what a program prints, only where
    none is tagged. Raises ValueError, whose text is a reason: `no_code` (or a field that holds no
    text), `several_blocks`, `cut_off_code` (the reply ends within the block).
    """
    given = record.fields.get(field)
    if given is None:
        return _code_in(text_of(record, "reply") or "", block, language)
    if not isinstance(given, str) or not given.strip():
        found = "blank" if isinstance(given, str) else f"of type {type(given).__name__}"
        raise ValueError(f"no_code: wants text in the field {field!r}, which is {found}")
    return given


def _code_in(reply: str, block: Block, language: str) -> str:
    if block == "only":
        return CodeBlock.only_in(reply, language).code
    blocks = [one for one in CodeBlock.all_in(reply) if one.code.strip() or not one.closed]
    tagged = [one for one in blocks if one.language in _TAGS.get(language, (language,))]
    chosen = (tagged or [one for one in blocks if not one.language])[-1:]
    if not chosen:
        raise ValueError(f"no_code: the reply has no fenced block of {language}")
    if not chosen[0].closed:
        raise ValueError("cut_off_code: the reply ends within its last block")
    return chosen[0].code


def no_code_in(record: Record, field: str, error: ValueError) -> Verdict:
    """Return the verdict on a record for which `code_of` raised `error`.

    A record with neither the field nor a reply is not judged; a reply without code fails.
    """
    if record.fields.get(field) is None and text_of(record, "reply") is None:
        return nothing_to_judge("reply")
    code, _, sentence = str(error).partition(": ")
    return Verdict.failed(code, sentence)
