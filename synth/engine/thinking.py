"""What a model thinks before it answers, told apart from the answer."""

from __future__ import annotations

_OPENING, _CLOSING = "<think>", "</think>"


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
