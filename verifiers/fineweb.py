"""The three rules that FineWeb added to those of Gopher and C4."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar

from pydantic import Field

from synth import Record, Verdict, Verifier

from . import repeats
from .bounds import Rule, judged
from .text_of import Of, nothing_to_judge, text_of

_TERMINAL = tuple(".!?…。！？｡．؟۔।॥։።")
_CLOSING = "\"'”’»」』)"


class FineWeb(Verifier):
    """The text meets FineWeb's own rules for web pages; the first broken one is the reason.

    Each option holds the published number; null turns its rule off. `few_punctuated_lines`: too few
    lines end with the mark of a sentence, and perhaps a closing quote or bracket after it.
    `short_lines`: too many have at most `short_line` characters. `duplicate_line_characters`: too
    much of the text is in lines that stood there before. `newlines`: too many of them by words.

    For instruction data they say which replies are lists, verse, code or tables, more than which
    are bad: `max_duplicate_line_characters` makes sense for prose and lists, the other rules for
    long prose alone.

    The paper has 0.1 for duplicate lines and no rule on newlines; the authors' code has 0.01 and
    0.3 (`max_newlines`). A number that equals its bound passes. Lines are those that are not
    blank, without white space around them; a blank text is not judged. Evidence is the value that
    broke the rule.

    Source: Penedo et al., "The FineWeb Datasets: Decanting the Web for the Finest Text Data at
    Scale" (2024), section 3.6.
    """

    name: ClassVar[str] = "fineweb"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (
        "few_punctuated_lines",
        "short_lines",
        "duplicate_line_characters",
        "newlines",
        "nothing_to_judge",
    )

    of: Of = "reply"
    """Which text: the `reply`, the `instruction`, or `all` messages."""
    min_punctuated_lines: float | None = Field(0.12, ge=0, le=1)
    """Least share of lines that end with a mark."""
    max_short_lines: float | None = Field(0.67, ge=0, le=1)
    """Greatest share of short lines."""
    short_line: int = Field(30, ge=1)
    """Characters that a short line has at most."""
    max_duplicate_line_characters: float | None = Field(0.1, ge=0, le=1)
    """Greatest share of the lines' characters in lines that stood there before."""
    max_newlines: float | None = Field(None, ge=0)
    """Most line breaks a word; 0.3 in the authors' code."""

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(text_of(record, self.of)) for record in records]

    def _verdict(self, text: str | None) -> Verdict:
        if text is None or not text.strip():
            return nothing_to_judge(self.of)
        return judged(self._rules(text))

    def _rules(self, text: str) -> Iterator[Rule]:
        lines = [stripped for line in text.splitlines() if (stripped := line.strip())]
        ended = sum(line.rstrip(_CLOSING).endswith(_TERMINAL) for line in lines) / len(lines)
        what = "share of lines that end with a mark"
        yield Rule("few_punctuated_lines", what, ended, self.min_punctuated_lines, None)
        short = sum(len(line) <= self.short_line for line in lines) / len(lines)
        what = f"share of lines of at most {self.short_line} characters"
        yield Rule("short_lines", what, short, None, self.max_short_lines)
        repeated = repeats.duplicates(lines)[1] / sum(map(len, lines))
        what, most = (
            "share of the text in lines that stood there before",
            self.max_duplicate_line_characters,
        )
        yield Rule("duplicate_line_characters", what, repeated, None, most)
        if self.max_newlines is not None:
            newlines = text.count("\n") / len(text.split())
            yield Rule("newlines", "line breaks a word", newlines, None, self.max_newlines)
