"""How far a text can be compressed: much where it repeats itself, hardly where it is noise."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import model_validator

from synth import Record, Verdict, Verifier

from . import bounds
from .text_of import Of, nothing_to_judge, text_of

_LEVEL = 6
_NO_HEADER = -15


class CompressionRatio(Verifier):
    """How many times smaller the text becomes by DEFLATE (zlib's level 6, without its header).

    Bytes of the text in UTF-8 by bytes of what they are compressed to. A hundred words of English
    have 1.7 to 1.9, a thousand 2.1 to 2.6; code and tables have more, loops 10 and far more (at
    most some 1,000), random letters less than 1.4. The ratio grows with the length, and a text of a
    few words has less than 1, so bound it where texts are of like length, or wide. Repetition is
    looked for within 32 kB.

    A blank text is not judged. The score is the ratio; evidence is both sizes in `bytes` and
    `compressed`. `too_low`, `too_high`: it is out of the bounds that are given; without any it
    passes. Another build of zlib (zlib-ng) may differ by a few bytes.
    """

    name: ClassVar[str] = "compression_ratio"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (*bounds.REASONS, "nothing_to_judge")

    of: Of = "reply"
    """Which text: the `reply`, the `instruction`, or `all` messages."""
    at_least: float | None = None
    """The least ratio that passes."""
    at_most: float | None = None
    """The greatest ratio that passes."""

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        bounds.refuse_crossed(self.at_least, self.at_most)
        return self

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(text_of(record, self.of)) for record in records]

    def _verdict(self, text: str | None) -> Verdict:
        if text is None or not text.strip():
            return nothing_to_judge(self.of)
        plain = text.encode("utf-8", "replace")
        compressed = zlib.compress(plain, _LEVEL, _NO_HEADER)
        evidence = {"bytes": len(plain), "compressed": len(compressed)}
        ratio = len(plain) / len(compressed)
        what = "the compression ratio"
        return bounds.bounded(ratio, self.at_least, self.at_most, what=what, evidence=evidence)
