"""What counts in a text when texts are compared: words or characters, and which differences.

The same reading exists twice: in Python, by regular expressions and the tables of `unicodedata`,
and as a table of characters for the kernels. A character about which a table cannot decide alone
(it may join its neighbour, or folds into two) is marked `UNSURE`: its text is read in Python.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from synth.similarity.words import UNSPACED, marks, word_pattern

SEPARATOR, PART, WHOLE, UNSURE = range(4)
"""Kinds of characters: between words, part of a word, a word of its own, for Python to read."""
KIND_AT = 24
"""A table's entry is the kind shifted by this, or-ed with the character in the case that counts."""
WORDLESS = " \uffff"
"""How the plain form of a text without words begins. No other begins with a space, and U+FFFF
stands in no word."""

_EACH = UNSPACED + "\U00020000-\U0003ffff"
_MARKS = marks()
_WORD = word_pattern(_EACH)
_WORDS = re.compile(_WORD)
_WORDS_AND_MARKS = re.compile(rf"{_WORD}|[^\w\s]")
_ONE_OF_EACH = re.compile(rf"[{_EACH}]")
_BETWEEN = re.compile(rf"[^\w{_EACH}{_MARKS}]+")
_SPACES = re.compile(r"\s+")
_WIDE = 0x20000
_JOINING_JAMO = frozenset([*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)])


@dataclass(frozen=True, slots=True)
class Reading:
    """Which differences between two texts count. By default neither case nor punctuation does."""

    ngram: int = 5
    """At least 1: units in a row that make a shingle; a shorter text is one shingle, whole."""
    unit: Literal["words", "characters"] = "words"
    """What the units are. Words are runs of letters, marks on these (accents, vowel signs), digits
    and underscores; where a script puts no spaces between words (Chinese, Japanese, Thai, Lao,
    Khmer, Burmese) each character is one."""
    ignore_case: bool = True
    """Whether case is folded, as Unicode says (ß is ss)."""
    ignore_punctuation: bool = True
    """Whether all but words only separates. Otherwise each mark is a word of its own (words), or a
    character like others (characters); white space only separates in any case."""
    normal_form: Literal["NFC", "NFKC"] | None = "NFKC"
    """How one character of several spellings is spelt first: NFC joins letters and their accents,
    NFKC also makes full width, ligatures and superscripts plain. None: as it stands."""

    def __post_init__(self) -> None:
        """Raise ValueError for an `ngram` of nothing."""
        if self.ngram < 1:
            raise ValueError(f"wanted an ngram of at least 1, got {self.ngram!r}")

    def plain(self, text: str) -> str:
        """Return the text as kernels read it with `PLAIN`: its words with one space between.

        Words of characters stand as the text has them, with one space for all that separates. A
        text without words becomes one word for the text as it stands, less white space at its
        ends; a blank text becomes "".
        """
        same = unicodedata.normalize(self.normal_form, text) if self.normal_form else text
        same = same.casefold() if self.ignore_case else same
        return self._units(same) or _as_it_stands(text.strip())

    def _units(self, text: str) -> str:
        if self.unit == "words":
            pattern = _WORDS if self.ignore_punctuation else _WORDS_AND_MARKS
            return " ".join(pattern.findall(text))
        return (_BETWEEN if self.ignore_punctuation else _SPACES).sub(" ", text).strip(" ")

    def ascii_table(self) -> NDArray[np.uint32]:
        """Return the entries of the 128 ASCII characters: enough for most texts, and made fast."""
        return _table(self, 128)

    def wide_table(self) -> NDArray[np.uint32]:
        """Return the entries of all characters before U+20000, in 0.2 s the first time."""
        return _table(self, _WIDE)


def _as_it_stands(text: str) -> str:
    return text and WORDLESS + blake2b(text.encode(), digest_size=16).hexdigest()


@lru_cache(maxsize=16)
def _table(reading: Reading, size: int) -> NDArray[np.uint32]:
    joining = _joining(reading, size)
    entries = [
        UNSURE << KIND_AT if code in joining else _entry(reading, chr(code)) for code in range(size)
    ]
    return np.array(entries, np.uint32)


def _entry(reading: Reading, character: str) -> int:
    form = reading.normal_form
    if form and unicodedata.normalize(form, character) != character:
        return UNSURE << KIND_AT
    folded = character.casefold() if reading.ignore_case else character
    if len(folded) != 1:
        return UNSURE << KIND_AT
    return _kind(reading, folded) << KIND_AT | ord(folded)


def _kind(reading: Reading, character: str) -> int:
    if _ONE_OF_EACH.match(character):
        return WHOLE if reading.unit == "words" else PART
    if character.isalnum() or character == "_" or character in _MARKS:
        return PART
    if character.isspace() or reading.ignore_punctuation:
        return SEPARATOR
    return WHOLE if reading.unit == "words" else PART


def _joining(reading: Reading, size: int) -> set[int]:
    """Return the characters that may become another one beside their neighbours."""
    surrogates = set(range(0xD800, min(0xE000, size)))
    if reading.normal_form is None or size <= 128:
        return surrogates
    marks = {code for code in range(size) if unicodedata.combining(chr(code))}
    second = {
        int(parts[1], 16)
        for code in range(size)
        if len(parts := unicodedata.decomposition(chr(code)).split()) == 2 and parts[0][0] != "<"
    }
    return surrogates | marks | second | _JOINING_JAMO


@lru_cache(maxsize=1)
def plain_table() -> NDArray[np.uint32]:
    """Return the entries for what `Reading.plain` returns: all but the space is part of a word."""
    entries = np.arange(0x110000, dtype=np.uint32) | np.uint32(PART << KIND_AT)
    entries[ord(" ")] = SEPARATOR << KIND_AT
    return entries
