"""How many sentences a text has, by the marks that end them."""

from __future__ import annotations

import re

# What stands before is looked at after the mark: so the search can leap from mark to mark.
_END = re.compile(
    r"[.!?…](?<![.!?…]{2})"
    r"(?<!\b[A-Z].)(?<!\b[DMS][rst].)(?<!\bMrs.)(?<!\bProf.)"  # J. S. Bach, Dr. No
    r"[.!?…]*+[\"'”’»)\]*_]*+(?=\s++[^a-z]|\s*+$)"
)
_WIDE_END = re.compile(r"[。！？]+[”’」』）]*")
_BLOCKS = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*+•]|\d{1,3}[.)]|#{1,6})\s)")


def sentences_in(line: str) -> int:
    """Return how many sentences a line or a paragraph has: 0 if blank, else at least 1.

    What follows the last mark counts as one. A mark before a small letter ends nothing (`e.g. so`),
    nor does one after a single capital or a title. Time grows linearly with the text.
    """
    if not (line := line.strip()):
        return 0
    found = list(_END.finditer(line))
    if not line.isascii():
        found += _WIDE_END.finditer(line)
    return len(found) + (max((mark.end() for mark in found), default=0) < len(line))


def blocks_of(text: str) -> list[str]:
    """Return paragraphs, headings and items of lists: no sentence goes from one to the next."""
    return [block for block in _BLOCKS.split(text) if block.strip()]
