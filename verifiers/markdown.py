"""Just enough Markdown to tell prose from what repeats or ends in its own way: code and tables."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


@dataclass(frozen=True, slots=True)
class Split:
    """A text, cut into lines of prose and the rest."""

    prose: str
    """All lines that are neither in a fenced block of code nor rows of a table."""
    open_fence: bool
    """Whether a fenced block of code is begun and never closed."""
    ends_in_fence: bool
    """Whether the last line that is not blank belongs to a fenced block of code."""


def split(text: str) -> Split:
    """Return the text cut up. A fence is closed by one of its kind that is at least as long."""
    prose: list[str] = []
    fence = ""
    last_in_fence = False
    for line in text.splitlines():
        found = _FENCE.match(line)
        inside = bool(fence) or _opens(found)
        if found and not fence:
            fence = found[1] if _opens(found) else ""
        elif found and found[1].startswith(fence) and not found[2].strip():
            fence = ""
        if line.strip():
            last_in_fence = inside
        if not inside and not line.lstrip().startswith("|"):
            prose.append(line)
    return Split("\n".join(prose), bool(fence), last_in_fence)


def _opens(fence: re.Match[str] | None) -> bool:
    """Return whether this begins a block: after backticks, its line may hold no backtick."""
    return fence is not None and not (fence[1].startswith("`") and "`" in fence[2])
