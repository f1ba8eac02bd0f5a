"""What counts as a word: the same for every verifier that counts word n-grams."""

from __future__ import annotations

import re

_HAN_AND_KANA = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_HAN_AND_KANA}]|[^\W{_HAN_AND_KANA}]+")
_ASCII_WORDS = bytes(
    code if chr(code).isalnum() or code == ord("_") else ord(" ") for code in range(128)
).lower() + bytes(128)


def words(text: str) -> list[str]:
    """Return runs of letters, digits and underscores in one case; punctuation is left out.

    Chinese and Japanese put no spaces between words: each of their characters is a word of its own.
    """
    if text.isascii():
        # The same words as below, in a fifth of the time.
        return text.encode().translate(_ASCII_WORDS).decode().split()
    return _WORD.findall(text.casefold())
