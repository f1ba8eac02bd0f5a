"""Which machine-made instructions are worth keeping: the rules of Self-Instruct, each an option."""

from __future__ import annotations

import re
import string
from functools import cached_property
from typing import ClassVar

from pydantic import Field

from synth.frozen import Frozen
from synth.similarity.words import UNSPACED, Words


class InstructionFilters(Frozen):
    """Rules for the text of an instruction, in the order in which they are asked.

    Defaults and order: Wang et al., "Self-Instruct" (2022), section 2.2, and the authors' code. For
    other languages set `blacklist` and `prefixes` to words of theirs, `ascii_first: false`, and the
    stage's `tokenization: unicode`.
    """

    reasons: ClassVar[tuple[str, ...]] = (
        "empty",
        "too_short",
        "too_long",
        "blacklisted",
        "unwanted_prefix",
        "starts_with_punctuation",
        "starts_outside_ascii",
    )

    min_words: int = Field(default=4, ge=1)
    """Fewest words between white space, or as `tokenization` tells them apart."""
    max_words: int = Field(default=150, ge=1)
    """Most words."""
    blacklist: tuple[str, ...] = (
        *("image", "images", "graph", "graphs", "picture", "pictures", "file", "files"),
        *("map", "maps", "draw", "plot", "go to"),
    )
    """Words and phrases, in any case, that ask for more than text; whole words only."""
    prefixes: tuple[str, ...] = ("Write a program",)
    """How an instruction may not begin: the authors' model wrote too many of these."""
    letter_first: bool = True
    """Whether a punctuation mark at the beginning is refused."""
    ascii_first: bool = True
    """Whether a first character outside ASCII is refused: mostly another language."""

    def wrong(self, instruction: str, words_of: Words = str.split) -> str:
        """Return why an instruction is not kept, as `code: sentence`, or ""."""
        words = len(words_of(instruction))
        if not instruction.strip():
            return "empty: nothing stands between two numbers of the list"
        if words < self.min_words:
            return f"too_short: {words} words, wants at least {self.min_words}"
        if words > self.max_words:
            return f"too_long: {words} words, wants at most {self.max_words}"
        if found := self._blacklisted(instruction):
            return f"blacklisted: it says {found!r}, which text alone cannot answer"
        return self._wrong_beginning(instruction)

    def _blacklisted(self, instruction: str) -> str:
        found = self._pattern.search(instruction) if self.blacklist else None
        return found.group() if found else ""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(_whole, self.blacklist)), re.IGNORECASE)

    def _wrong_beginning(self, instruction: str) -> str:
        for prefix in self.prefixes:
            if instruction.startswith(prefix):
                return f"unwanted_prefix: it begins with {prefix!r}"
        if self.letter_first and instruction[0] in string.punctuation:
            return f"starts_with_punctuation: it begins with {instruction[0]!r}"
        if self.ascii_first and not instruction[0].isascii():
            return f"starts_outside_ascii: it begins with {instruction[0]!r}"
        return ""


def _whole(phrase: str) -> str:
    """Return the pattern of a phrase as whole words; where none are spaced apart, as it stands."""
    first, last = (
        "" if re.match(f"[{UNSPACED}]", letter) else r"\b" for letter in (phrase[:1], phrase[-1:])
    )
    return f"{first}{re.escape(phrase)}{last}"
