"""What counts as a word: the same for every verifier that counts word n-grams."""

from __future__ import annotations

import re

_HAN_AND_KANA = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_HAN_AND_KANA}]|[^\W{_HAN_AND_KANA}]+")


def words(text: str) -> list[str]:
    """Return runs of letters, digits and underscores in one case; punctuation is left out.

    Chinese and Japanese put no spaces between words: each of their characters is a word of its own.
    """
    return _WORD.findall(text.casefold())
