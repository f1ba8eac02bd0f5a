"""A document cut into passages: at headings, else between paragraphs, else between sentences.

A passage is a piece of the document as it stands, character by character, so that whoever holds it
as evidence can find it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, kana, Han."""

_WORD = re.compile(rf"[{UNSPACED}]|[^\s{UNSPACED}]+")
_MARK = r"(?:[-*+•]|\d{1,3}[.)])[ \t]"
_BLOCK = re.compile(
    rf"""
    (?P<code> ^[ ]{{0,3}}(?P<fence>```|~~~) (?s:.*?) (?: ^[ ]{{0,3}}(?P=fence)[^\n]*$ | \Z ) )
    | (?P<heading>
        ^[ ]{{0,3}}\#{{1,6}}[ \t]+\S[^\n]*$
        | ^(?![ \t]*(?:\||-|{_MARK}))(?=[^\n]{{0,20}}\w)[^\n]{{1,200}}\n
          [ ]{{0,3}}(?:={{2,}}|-{{2,}})[ \t\r]*$ )
    | (?P<table> (?: ^[ \t]*\|[^\n]*(?:\n|\Z) )+ )
    | (?P<text>
        (?: ^(?![ ]{{0,3}}(?:\#{{1,6}}[ \t]+\S|```|~~~))[ \t\r\f\v]*[^|\s][^\n]*(?:\n|\Z) )+ )
    """,
    re.MULTILINE | re.VERBOSE,
)
_HEADING = re.compile(r"\s*(#+)[ \t]+(.*?)[ \t]*#*\s*\Z")
_ROW = re.compile(r"\n")
_SENTENCE = re.compile(
    rf"[.!?…]+[\"'”’)\]]*\s+(?=[^\sa-z])|[。！？]+[”’」』）]*\s*|\n(?=[ \t]*{_MARK})"  # noqa: RUF001 (marks of Chinese)
)
_ABBREVIATED = re.compile(
    r"(?:\b(?:Dr|Mr|Mrs|Ms|Prof|St|Fig|No|vs|approx|cf|e\.g|i\.e)|\b[A-Z])\.\Z"
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a document."""

    document: str
    """The document's name."""
    number: int
    """Its place among the document's passages, from 0."""
    heading: str
    """The headings that all of it stands under, joined by ` > `; empty if there are none."""
    text: str
    """The text as it stands in the document, without white space at its ends."""

    def as_json(self) -> dict[str, str | int]:
        """Return it as a record keeps it as evidence."""
        return {
            "document": self.document,
            "passage": self.number,
            "heading": self.heading,
            "text": self.text,
        }


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a text that stays whole: a block, or a sentence, row or line of a long one."""

    start: int
    end: int
    kind: str
    """`text`, `table` or `code`."""
    path: tuple[str, ...]
    """The headings that it stands under."""
    headed: bool
    """Whether it begins with a heading."""
    words: int


def words_in(text: str) -> int:
    """Return how many words a text has; a character of a script without spaces counts as one."""
    return sum(1 for _ in _WORD.finditer(text))


def passages_of(
    text: str, *, document: str, most_words: int, overlap_words: int = 0
) -> list[Passage]:
    """Return the passages of a text of plain words or Markdown, in order.

    None has more than `most_words` words. A passage ends before a heading once it holds a quarter
    of them, so that short sections stay together. What must be cut is cut between paragraphs, lists
    and tables; inside one between rows or sentences; inside a longer sentence between words. A
    passage that does not begin at a heading repeats the last sentences of the one before, as many
    as fit in `overlap_words`. A heading with nothing below it is left out.
    """
    pieces = [part for block in _blocks(text) for part in _fitting(block, text, most_words)]
    found: list[Passage] = []
    for first, end in _packed(pieces, most_words):
        run = pieces[first:end]
        start = run[0].start
        if first and not run[0].headed:
            room = min(overlap_words, most_words - sum(piece.words for piece in run))
            start = _repeated_from(pieces[first - 1], text, room)
        heading = " > ".join(_common([piece.path for piece in run]))
        found.append(Passage(document, len(found), heading, text[start : run[-1].end].strip()))
    return found


def _blocks(text: str) -> Iterator[_Piece]:
    """Yield the blocks of a text; headings are part of the block below them."""
    path: list[tuple[int, str]] = []
    above: int | None = None
    for block in _BLOCK.finditer(text):
        kind = block.lastgroup or "code"
        if kind == "heading":
            level, title = _heading(block[0])
            path = [*(outer for outer in path if outer[0] < level), (level, title)]
            above = block.start() if above is None else above
            continue
        start = block.start() if above is None else above
        names = tuple(name for _, name in path)
        words = words_in(text[start : block.end()])
        yield _Piece(start, block.end(), kind, names, above is not None, words)
        above = None


def _heading(lines: str) -> tuple[int, str]:
    """Return level (from 1) and text of a heading, marked by `#` or by a line below it."""
    if marked := _HEADING.match(lines):
        return len(marked[1]), marked[2]
    title, _, underline = lines.strip().partition("\n")
    return (1 if "=" in underline else 2), title.strip()


def _fitting(piece: _Piece, text: str, most: int) -> Iterator[_Piece]:
    """Yield a piece whole, or its sentences, rows or lines, or what fits of those."""
    if piece.words <= most:
        yield piece
        return
    for start, end in _sentences(piece, text):
        for first, last in _in_words(text, start, end, most):
            words = words_in(text[first:last])
            headed = piece.headed and first == piece.start
            yield replace(piece, start=first, end=last, headed=headed, words=words)


def _sentences(piece: _Piece, text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each sentence of a text, or row of a table, or line of code."""
    pattern = _SENTENCE if piece.kind == "text" else _ROW
    start = piece.start
    for found in pattern.finditer(text, piece.start, piece.end):
        said = text[start : found.end()].rstrip()
        if said and found.end() < piece.end and not _ABBREVIATED.search(said[-8:]):
            yield start, found.end()
            start = found.end()
    yield start, piece.end


def _in_words(text: str, start: int, end: int, most: int) -> Iterator[tuple[int, int]]:
    """Yield start and end of parts of at most `most` words."""
    words = [word.start() for word in _WORD.finditer(text, start, end)]
    yield from pairwise([start, *words[most::most], end])


def _packed(pieces: list[_Piece], most: int) -> Iterator[tuple[int, int]]:
    """Yield where runs begin and end: as much as fits, or up to a heading that is a good border."""
    first, size = 0, 0
    for number, piece in enumerate(pieces):
        full = size + piece.words > most or (piece.headed and 4 * size >= most)
        if full and number > first:
            yield first, number
            first, size = number, 0
        size += piece.words
    if pieces:
        yield first, len(pieces)


def _common(paths: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Return what all paths begin with."""
    alike = 0
    for names in zip(*paths, strict=False):
        if len(set(names)) > 1:
            break
        alike += 1
    return paths[0][:alike]


def _repeated_from(piece: _Piece, text: str, room: int) -> int:
    """Return where the last sentences of a piece begin that have at most `room` words together."""
    found = piece.end
    for start, end in reversed(list(_sentences(piece, text))):
        room -= words_in(text[start:end])
        if room < 0:
            break
        found = start
    return found
