"""What models write, made fit for a record: valid Unicode, thinking apart from the answer."""

from __future__ import annotations

import re

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_OPENING, _CLOSING = "<think>", "</think>"


def whole_text(text: str) -> str:
    """Return `text` with U+FFFD for every lone surrogate, so that it can be written as UTF-8."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


def without_thinking(text: str, *, begun: bool = False) -> tuple[str, str | None]:
    """Return the answer in `text`, and the thinking before it or None.

    Thinking stands between `<think>` and `</think>` at the start; `begun` says that the template of
    the prompt had already opened it. Thinking that was cut off leaves an empty answer.
    """
    stripped = text.lstrip()
    if stripped.startswith(_OPENING):
        stripped = stripped.removeprefix(_OPENING)
    elif not begun:
        return text, None
    reasoning, _, answer = stripped.partition(_CLOSING)
    return answer.lstrip(), reasoning.strip() or None
