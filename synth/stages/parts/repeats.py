"""Texts of one record's children that say the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from synth.record import Record


def same_words(text: str) -> str:
    """Return `text` without what does not count in a comparison: case and white space."""
    return " ".join(text.casefold().split())


def _instruction(record: Record) -> str:
    return record.instruction


def without_repeats(
    children: Sequence[Record], label: str, *, said_by: Callable[[Record], str] = _instruction
) -> list[Record]:
    """Return the children, those dropped that say what an earlier live one says."""
    first: dict[str, int] = {}
    kept: list[Record] = []
    for number, child in enumerate(children, start=1):
        alive = child.state == "live"
        said = first.setdefault(same_words(said_by(child)), number) if alive else number
        reason = f"duplicate: the text is that of number {said}"
        kept.append(child if said == number else child.drop("filter", by=label, reason=reason))
    return kept
