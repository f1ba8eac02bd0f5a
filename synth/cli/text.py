"""How the command line writes numbers and tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from synth.errors import InputError


def say(line: str = "") -> None:
    """Print a line of a result."""
    sys.stdout.write(line + "\n")


def tell(line: str) -> None:
    """Print a line of talk, to standard error."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def say_json(value: Any) -> None:
    """Print a result as JSON."""
    say(json.dumps(value, ensure_ascii=False, indent=1, default=str))


def number(value: float) -> str:
    """Return 12,345 for 12345."""
    return f"{value:,.0f}"


def amount(value: float) -> str:
    """Return 1,234 or 12.3 k or 38.1 M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{value / (1e3 if unit == 'k' else size):.1f} {unit}"
    return number(value)


def duration(seconds: float) -> str:
    """Return 0.4 s, 12 s, 3 min 20 s or 1 h 12 min."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def table(rows: Sequence[Sequence[Any]], *, indent: str = "  ") -> None:
    """Print rows in columns; numbers to the right, the last column as it is."""
    cells = [["" if cell is None else _cell(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)][:-1]
    for row, texts in zip(rows, cells, strict=True):
        aligned = [
            text.rjust(width) if isinstance(cell, int | float) else text.ljust(width)
            for cell, text, width in zip(row, texts, widths, strict=False)
        ]
        say((indent + "  ".join([*aligned, texts[-1]])).rstrip())


def _cell(cell: Any) -> str:
    return number(cell) if isinstance(cell, int) and not isinstance(cell, bool) else str(cell)


def pairs(written: Sequence[str], option: str) -> dict[str, str]:
    """Return `NAME=VALUE` texts as a dictionary. Raises InputError for what has no `=`."""
    split = [item.partition("=") for item in written]
    for item, (name, equals, _) in zip(written, split, strict=True):
        if not name or not equals:
            raise InputError(f"{option} wants PATH=VALUE, got {item!r}")
    return {name: value for name, _, value in split}
