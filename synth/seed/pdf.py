"""From the bytes of a PDF to its text, or to why there is none."""

from __future__ import annotations

import logging
import struct
import zlib
from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

from synth.seed.values import RowError

if TYPE_CHECKING:
    from pypdf import PdfReader

# The reader walks wherever a broken file points, so a file may fail in any of these ways.
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


class Pdf(NamedTuple):
    """What a PDF says."""

    text: str
    """The text of its pages, a blank line between two."""
    title: str
    """The title in its metadata; empty without one."""


def pdf(content: bytes) -> Pdf:
    """Return text and title of a PDF.

    Raises RowError `encrypted` if a password other than the empty one is wanted, `broken_pdf` if it
    cannot be read and `no_text` if no page has text, as in a scan.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    # What it could mend by itself is no concern of ours.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(BytesIO(content))
        _unlock(reader)
        pages = [page.extract_text().strip() for page in reader.pages]
        title = _title(reader)
    except RowError:
        raise
    except (PyPdfError, *_BROKEN) as error:
        said = str(error) or type(error).__name__
        raise RowError("broken_pdf", f"the PDF cannot be read: {said}") from error
    if not any(pages):
        raise RowError("no_text", f"no text on its {len(pages)} pages, as in a scan; run OCR on it")
    return Pdf("\n\n".join(page for page in pages if page), title)


def _unlock(reader: PdfReader) -> None:
    from pypdf.errors import DependencyError

    if not reader.is_encrypted:
        return
    try:
        unlocked = bool(reader.decrypt(""))
    except DependencyError:
        unlocked = False
    if not unlocked:
        raise RowError("encrypted", "the PDF is encrypted; save a copy without a password")


def _title(reader: PdfReader) -> str:
    title = reader.metadata.title if reader.metadata else None
    return " ".join(title.split()) if isinstance(title, str) else ""
