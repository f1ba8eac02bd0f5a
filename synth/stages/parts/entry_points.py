"""What tests call: the name of a function, and how it is called."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterator
from typing import NamedTuple

from synth.answers.blocks import CodeBlock
from synth.record import Record
from synth.stages.parts.python_code import only_function, parsed, signature
from synth.stages.parts.replies import MalformedError

_NAMED = re.compile(
    r"^[ \t]*[*_#]*[ \t]*Function[*_]*[ \t]*:[ \t*`]*(?:def[ \t]+)?"
    r"(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*)*)(?P<parameters>\([^\n`]*\)(?:[ \t]*->[^\n`:]*)?)?",
    re.MULTILINE | re.IGNORECASE,
)
_FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)


class EntryPoint(NamedTuple):
    """A function, a class, or a method by a dotted path; empty if nobody named one."""

    name: str = ""
    signature: str = ""
    """As in `merge(left, right=None) -> list`, or "" if it is not known."""


def entry_point_of(record: Record) -> EntryPoint:
    """Return what the tests of a record call.

    Named by its field `entry_point` (and `signature`), else the only public function of its code:
    the field `code`, or the only fenced block of its reply.
    """
    name, known = (record.fields.get(field) for field in ("entry_point", "signature"))
    name = name.strip() if isinstance(name, str) else ""
    if name and isinstance(known, str):
        return EntryPoint(name, known)
    for tree in _programs(record):
        if found := name or only_function(tree):
            return EntryPoint(found, signature(tree, found))
    return EntryPoint(name)


def code_of(record: Record) -> str:
    """Return a record's code: the field `code`, else the only fenced block of its reply, or ""."""
    code = record.fields.get("code")
    if isinstance(code, str):
        return code
    try:
        return CodeBlock.only_in(record.reply).code
    except ValueError:
        return ""


def entry_point_named(text: str) -> EntryPoint:
    """Return what a line `Function: name(parameters)` before the first fenced block names.

    Raises MalformedError `no_entry_point_named` if there is no such line.
    """
    fence = _FENCE.search(text)
    found = _NAMED.search(text, 0, fence.start() if fence else len(text))
    if found is None or any(map(keyword.iskeyword, found["name"].split("."))):
        raise MalformedError(
            "no_entry_point_named: wanted a line `Function: name(…)` before the tests"
        )
    named = found["name"] + (found["parameters"] or "").strip()
    return EntryPoint(found["name"], named if _is_signature(named) else "")


def _is_signature(text: str) -> bool:
    try:
        ast.parse(f"def {text}: ...")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _programs(record: Record) -> Iterator[ast.Module]:
    try:
        yield parsed(code_of(record))
    except MalformedError:
        return
