"""Words of a text: as the package rouge_score counts them, or in any script."""

from __future__ import annotations

import re
from collections.abc import Callable

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, kana, Han."""

Words = Callable[[str], list[str]]
"""Returns the words of a text."""

_NOT_IN_WORDS = re.compile(r"[^a-z0-9]+")
_IN_ANY_SCRIPT = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")


def rouge_words(text: str) -> list[str]:
    """Return runs of ASCII letters and digits, in lower case: none in most other scripts."""
    return _NOT_IN_WORDS.sub(" ", text.lower()).split()


def unicode_words(text: str) -> list[str]:
    """Return runs of letters and digits without case; of an unspaced script each character."""
    return _IN_ANY_SCRIPT.findall(text.casefold())
