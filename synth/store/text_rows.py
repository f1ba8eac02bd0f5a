"""Rows out of text: JSON Lines, a JSON list, CSV; each also gzipped.

Everything is streamed: memory holds one line, one list item or one CSV row. What cannot be read is
a row too, with its problem and its place, so one bad line never hides the others.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from json import JSONDecodeError
from pathlib import Path
from re import Match
from re import compile as pattern
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from synth.errors import SeedError

if TYPE_CHECKING:
    from _csv import Reader

RAW_CHARACTERS = 2000
"""So much of a bad row's text is kept."""
_CHUNK = 1 << 16
_LONGEST_CSV_VALUE = 1 << 27
_CUT_OFF = (EOFError, gzip.BadGzipFile, zlib.error)
_SPACE = pattern(r"[ \t\r\n]*")
_BOM = b"\xef\xbb\xbf"

# NaN and the infinities are no JSON, yet many writers emit them.
_decoder = json.JSONDecoder(parse_constant=lambda _: None)


class Row(NamedTuple):
    """One row of a source: its value, or why it has none."""

    file: str
    """The file, as the recipe names it."""
    number: int
    """Its line or row, from 1; 0 for a whole file."""
    value: Any = None
    problem: str = ""
    """A stable code, a colon and a sentence when the row could not be read; else empty."""
    raw: str = ""
    """The beginning of the text that could not be read."""
    unit: str = "line"
    """What `number` counts: `line` or `row`."""


def opened(path: Path) -> IO[bytes]:
    """Return a file opened for reading bytes, unpacked if its name ends in `.gz`."""
    if path.suffix == ".gz":
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")


def json_lines(path: Path, shown: str) -> Iterator[Row]:
    """Yield a row for each line that is not blank. A gzip file cut off ends in a bad row."""
    number = 0
    with opened(path) as file:
        try:
            for number, line in _written(file):
                yield _line_row(shown, number, line)
        except _CUT_OFF as error:
            yield _cut_off(shown, number + 1, error)


def _written(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Yield number and text of each line that is not blank."""
    return ((number, line) for number, line in enumerate(file, 1) if not line.isspace())


def _line_row(shown: str, number: int, line: bytes) -> Row:
    try:
        text = line.decode("utf-8-sig" if line.startswith(_BOM) else "utf-8")
    except UnicodeDecodeError as error:
        return _bad(shown, number, _not_utf8(error), line.decode("utf-8", "replace").rstrip())
    try:
        return Row(shown, number, _decoder.decode(text))
    except (ValueError, RecursionError) as error:
        return _bad(shown, number, _not_json(error), text.rstrip())


def _not_utf8(error: UnicodeDecodeError) -> str:
    return f"not_utf8: byte {error.start + 1} of the line is not UTF-8 text"


def _not_json(error: Exception) -> str:
    if isinstance(error, JSONDecodeError):
        return f"not_json: {error.msg} at column {error.colno}"
    if isinstance(error, RecursionError):
        return "too_deep: the row is nested too deeply"
    return f"not_json: {error}"


def _cut_off(shown: str, number: int, error: Exception) -> Row:
    return Row(shown, number, problem=f"cut_off: the file breaks off here ({error})")


def _bad(shown: str, number: int, problem: str, raw: str) -> Row:
    return Row(shown, number, problem=problem, raw=raw[:RAW_CHARACTERS])


def json_file(path: Path, shown: str) -> Iterator[Row]:
    """Yield the items of a JSON list, or one row a line if the file does not begin with `[`.

    A list is read item by item; one that is broken ends the file, as nobody knows where the next
    begins. Raises SeedError for a single object written over several lines.
    """
    with opened(path) as file:
        try:
            beginning = file.read(_CHUNK).removeprefix(_BOM).lstrip()
        except _CUT_OFF:
            beginning = b""
    if beginning.startswith(b"["):
        return _listed(path, shown)
    first, newline, _ = beginning.partition(b"\n")
    # Some of its lines would pass for texts.
    if newline and first.startswith(b"{") and not first.rstrip().endswith(b"}"):
        raise SeedError(
            f"wanted a list or one object a line in {shown!r}, found an object over several lines"
        )
    return json_lines(path, shown)


def _listed(path: Path, shown: str) -> Iterator[Row]:
    with opened(path) as file:
        text = _JsonList(_text(file))
        try:
            for line, value, raw in text.items():
                yield _item_row(shown, line, value, raw)
        except _CUT_OFF as error:
            yield _cut_off(shown, text.line, error)
        except (ValueError, RecursionError) as error:
            problem = f"{_not_json(error)}; the rest of the list cannot be read"
            yield _bad(shown, text.line, problem, text.rest)


def _item_row(shown: str, line: int, value: Any, raw: str) -> Row:
    if _is_utf8(raw):
        return Row(shown, line, value)
    return _bad(shown, line, "not_utf8: the item holds bytes that are not UTF-8", raw)


def _text(file: IO[bytes]) -> io.TextIOWrapper:
    # Bytes that are not UTF-8 become lone surrogates: reading goes on, their row is found later.
    return io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")


def _is_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class _JsonList:
    """A list in a stream of JSON text; holds one item and one chunk."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._buffer = ""
        self._at = 0
        self.line = 1
        """The line that was reached."""

    @property
    def rest(self) -> str:
        """The beginning of what was read and not understood."""
        return self._buffer[self._at : self._at + RAW_CHARACTERS]

    def items(self) -> Iterator[tuple[int, Any, str]]:
        """Yield line, value and text of each item. Raises ValueError where it is no list."""
        self._next_sign()
        self._go_to(self._at + 1)
        if self._next_sign() == "]":
            return
        while True:
            yield self._item()
            sign = self._next_sign()
            if sign == "]":
                return
            if sign != ",":
                found = repr(sign) if sign else "the end of the file"
                raise ValueError(f"wanted ',' or ']' after an item, found {found}")
            self._go_to(self._at + 1)
            self._next_sign()

    def _item(self) -> tuple[int, Any, str]:
        while True:
            try:
                value, end = _decoder.raw_decode(self._buffer, self._at)
            except JSONDecodeError:
                if not self._read_more():
                    raise
                continue
            # A number at the end of what was read may go on in the next chunk.
            if end < len(self._buffer) or not self._read_more():
                item = (self.line, value, self._buffer[self._at : end])
                self._go_to(end)
                return item

    def _next_sign(self) -> str:
        """Go to the next character that is no space and return it, or empty at the end."""
        while True:
            self._go_to(cast("Match[str]", _SPACE.match(self._buffer, self._at)).end())
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._read_more():
                return ""

    def _go_to(self, at: int) -> None:
        self.line += self._buffer.count("\n", self._at, at)
        self._at = at

    def _read_more(self) -> bool:
        # Twice as much each time: an item is parsed again from its beginning after every chunk.
        chunk = self._text.read(max(_CHUNK, 2 * (len(self._buffer) - self._at)))
        self._buffer = self._buffer[self._at :] + chunk
        self._at = 0
        return bool(chunk)


def csv_rows(path: Path, shown: str, *, delimiter: str = ",") -> Iterator[Row]:
    """Yield a row, column name → text, for each record below the header; quoted newlines are text.

    A record with another number of values than the header is a bad row. Raises SeedError for a
    header without distinct names.
    """
    csv.field_size_limit(_LONGEST_CSV_VALUE)
    with opened(path) as file:
        reader = csv.reader(_text(file), delimiter=delimiter, strict=True)
        try:
            header = _header(reader, shown)
            yield from _records(reader, header, shown)
        except _CUT_OFF as error:
            yield _cut_off(shown, reader.line_num + 1, error)


def _header(reader: Reader, shown: str) -> list[str]:
    try:
        header = next(reader, cast("list[str]", []))
    except csv.Error as error:
        raise SeedError(f"wanted a header of column names in {shown!r}: {error}") from error
    twice = sorted({name for name in header if header.count(name) > 1})
    if not header or not all(header) or twice or not _is_utf8("".join(header)):
        found = f"{twice[0]!r} twice" if twice else repr(header)
        raise SeedError(
            f"wanted a first line of distinct column names in UTF-8 in {shown!r}, found {found}"
        )
    return header


def _records(reader: Reader, header: list[str], shown: str) -> Iterator[Row]:
    while True:
        line = reader.line_num + 1
        try:
            values = next(reader, None)
        except csv.Error as error:
            yield _bad(shown, line, f"not_csv: {error}", "")
            continue
        if values is None:
            return
        if values:
            yield _record(shown, line, header, values)


def _record(shown: str, line: int, header: list[str], values: list[str]) -> Row:
    if len(values) != len(header):
        problem = f"ragged_row: {len(values)} values for {len(header)} columns"
        return _bad(shown, line, problem, ",".join(values))
    if not _is_utf8("".join(values)):
        problem = "not_utf8: the row holds bytes that are not UTF-8"
        return _bad(shown, line, problem, ",".join(values))
    return Row(shown, line, dict(zip(header, values, strict=True)))
