"""How far a text can be compressed: much where it repeats itself, hardly where it is noise."""

from __future__ import annotations

import zlib
from typing import ClassVar

from synth import Verdict

from . import bounds
from .measured import Measured
from .text_of import nothing_to_judge

_LEVEL = 6
_NO_HEADER = -15


class CompressionRatio(Measured):
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

    def _verdict(self, text: str | None) -> Verdict:
        if text is None or not text.strip():
            return nothing_to_judge(self.of)
        plain = text.encode("utf-8", "replace")
        compressed = zlib.compress(plain, _LEVEL, _NO_HEADER)
        evidence = {"bytes": len(plain), "compressed": len(compressed)}
        ratio = len(plain) / len(compressed)
        what = "the compression ratio"
        return bounds.bounded(ratio, self.at_least, self.at_most, what=what, evidence=evidence)
