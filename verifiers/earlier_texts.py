"""Texts of a file that others are held against: JSON Lines, Parquet, or one text a line."""
# pyarrow publishes no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from synth import Message, Record

from .text_of import Of, text_of


class EarlierText(NamedTuple):
    """A text, and where it stands: the file's name and the row, from 1, as `seeds.jsonl:12`."""

    place: str
    text: str


def texts_in(file: Path, of: Of) -> Iterator[EarlierText]:
    """Yield the text of each row; rows without that text, or with a blank one, are passed over.

    A row of JSON Lines or Parquet is read as a record: `messages` are its messages, the other
    columns its fields; a JSON string is a text. Raises ValueError, with the place, for what cannot
    be read so.
    """
    rows = _READERS.get(file.suffix.lower())
    if rows is None or not file.is_file():
        raise ValueError(
            f"wants texts in a file that ends in {', '.join(_READERS)}; got {file.name!r}"
        )
    for number, row in enumerate(rows(file), 1):
        place = f"{file.name}:{number}"
        text = _text(row, of, place)
        if text and text.strip():
            yield EarlierText(place, text)


def _lines(file: Path) -> Iterator[str]:
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        yield from lines


def _json_lines(file: Path) -> Iterator[Any]:
    for number, line in enumerate(_lines(file), 1):
        try:
            yield json.loads(line) if line.strip() else ""
        except json.JSONDecodeError as error:
            raise ValueError(f"wants a JSON text a line, {file.name}:{number}: {error}") from error


def _parquet(file: Path) -> Iterator[Any]:
    from pyarrow.parquet import ParquetFile

    with ParquetFile(file) as opened:
        for batch in opened.iter_batches(batch_size=4096):
            yield from batch.to_pylist()


_READERS = {".jsonl": _json_lines, ".parquet": _parquet, ".txt": _lines}


def _text(row: Any, of: Of, place: str) -> str | None:
    if isinstance(row, str):
        return row
    try:
        return text_of(_record(row), of)
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(
            f"wants a text or an object, perhaps with `messages` of role and content, in each row; "
            f"{place} is {row!r:.100}"
        ) from error


def _record(row: dict[str, Any]) -> Record:
    turns = row.get("messages") or ()
    said = [Message(role=turn["role"], content=turn.get("content") or "") for turn in turns]
    return Record("", (), "", (), row, tuple(said))
