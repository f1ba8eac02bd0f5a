"""Documents as seeds: one record for each text, Markdown, HTML or PDF file.

A record has `text` (Markdown, where the format knows headings), `title` (`<title>`, the PDF's
metadata, the first heading or else the file's name without suffix) and `document` (the path below
the named folder, with `/`). A document that cannot be read is a bad row with its path and reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from re import compile as pattern
from typing import NamedTuple

from synth.frozen import content_digest
from synth.record import digest
from synth.seed.html import page
from synth.seed.pdf import pdf
from synth.seed.values import RowError
from synth.store.text_rows import Row

_FENCE = pattern(r" {0,3}(`{3,}|~{3,})")
_HEADING = pattern(r" {0,3}#{1,6}[ \t](.*)")


class Document(NamedTuple):
    """A file to be read as one seed."""

    path: Path
    name: str
    """Where it lies below the named folder, or its file name; parts joined by `/`."""
    shown: str
    """As problems tell it, never absolute."""


def is_document(path: Path) -> bool:
    """Return whether the name of a file tells that it is a document."""
    return path.suffix.lower() in _READERS


def one(path: Path, shown: str) -> Document:
    """Return the document that a recipe names by itself."""
    return Document(path, path.name, shown)


def below(folder: Path, shown: str) -> list[Document]:
    """Return the documents in a folder and below it, sorted by name, without hidden ones."""
    names = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    return [
        Document(path, name, f"{shown.rstrip('/')}/{name}")
        for name, path in sorted(names.items())
        if is_document(path) and path.is_file() and not _hidden(name)
    ]


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def rows(documents: Sequence[Document]) -> Iterator[Row]:
    """Yield a row for each document, one file in memory at a time."""
    return map(_row, documents)


def fingerprint(shown: str, documents: Sequence[Document]) -> str:
    """Return a digest of the names and bytes of documents, read in chunks."""
    known = (part for one in documents for part in (one.name, content_digest(one.path)))
    return digest("documents", shown, *known)


def _row(document: Document) -> Row:
    try:
        text, title = _READERS[document.path.suffix.lower()](document.path.read_bytes())
    except RowError as error:
        return Row(document.shown, 0, problem=str(error))
    if not text.strip():
        return Row(document.shown, 0, problem="no_text: the document says nothing")
    title = title or document.path.stem
    return Row(document.shown, 0, {"text": text, "title": title, "document": document.name})


def _decoded(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RowError("not_utf8", f"byte {error.start + 1} is not UTF-8; convert it") from error
    if (place := text.find("\0")) >= 0:
        # UTF-16 without its mark is valid UTF-8, too.
        found = f"character {place + 1} is NUL, so it is binary or UTF-16; convert it to UTF-8"
        raise RowError("not_text", found)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _plain(content: bytes) -> tuple[str, str]:
    return _decoded(content), ""


def _markdown(content: bytes) -> tuple[str, str]:
    text = _decoded(content)
    return text, _first_heading(text)


def _first_heading(text: str) -> str:
    """Return the text of the first `#` line that is not inside a fence of code."""
    fence = ""
    for line in text.splitlines():
        if found := _FENCE.match(line):
            fence = _after(fence, found[1])
        elif not fence and (heading := _HEADING.match(line)) and (title := _opened(heading[1])):
            return title
    return ""


def _opened(heading: str) -> str:
    """Return a heading's text without the signs that may close it: `## A ##` says A."""
    text = f" {heading.strip()}"
    before = text.rstrip("#")
    return (before if before.endswith(" ") else text).strip()


def _after(fence: str, sign: str) -> str:
    """Return the fence that is open after a line of signs: only its own kind closes one."""
    if not fence:
        return sign
    return "" if sign.startswith(fence) else fence


def _html(content: bytes) -> tuple[str, str]:
    return page(_decoded(content))


_READERS: dict[str, Callable[[bytes], tuple[str, str]]] = {
    ".txt": _plain,
    ".md": _markdown,
    ".html": _html,
    ".htm": _html,
    ".pdf": pdf,
}
FORMATS = ", ".join(_READERS)
"""The suffixes of documents, to be told in messages."""
