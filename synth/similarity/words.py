"""Words of a text: as the package rouge_score counts them, also stemmed, or in any script."""
# The package nltk is optional and untyped.
# pyright: reportMissingTypeStubs=false, reportMissingImports=false
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

from synth.errors import PluginError

UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
"""Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, kana, Han."""

Words = Callable[[str], list[str]]
"""Returns the words of a text."""

_NOT_IN_WORDS = re.compile(r"[^a-z0-9]+")


def rouge_words(text: str) -> list[str]:
    """Return runs of ASCII letters and digits, in lower case: none in most other scripts."""
    return _NOT_IN_WORDS.sub(" ", text.lower()).split()


def stemmed_words(text: str) -> list[str]:
    """Return the words of `rouge_words`, those of more than three characters without endings.

    Endings are those of Porter ("An algorithm for suffix stripping", 1980) as the package nltk has
    them: what `rouge_score` does with `use_stemmer=True`. Raises PluginError if nltk is missing.
    """
    return [_stem(word) if len(word) > 3 else word for word in rouge_words(text)]


def want_stems() -> None:
    """Raise PluginError if the package that knows the endings is missing."""
    if importlib.util.find_spec("nltk") is None:
        raise PluginError("stems of words need nltk: run `pip install 'expertsynth[stem]'`")


@lru_cache(maxsize=1 << 16)
def _stem(word: str) -> str:
    return _stemmer()(word)


@lru_cache(maxsize=1)
def _stemmer() -> Callable[[str], str]:
    want_stems()
    from nltk.stem.porter import PorterStemmer

    return PorterStemmer().stem


def unicode_words(text: str) -> list[str]:
    """Return runs of letters and digits without case; of an unspaced script each character.

    Marks on letters, such as the vowel signs of Hindi, belong to the word.
    """
    return _in_any_script().findall(text.casefold())


@lru_cache(maxsize=1)
def _in_any_script() -> re.Pattern[str]:
    return re.compile(word_pattern(UNSPACED, separators="_"))


def word_pattern(unspaced: str, *, separators: str = "") -> str:
    """Return the regular expression of a word: an unspaced character, or letters and their marks.

    Letters are what regular expressions call so, digits too, less `separators`. Both arguments are
    given as they stand in `[]`.
    """
    letter, mark = rf"[^\W{separators}{unspaced}]", f"[{marks()}]"
    return rf"[{unspaced}]|{letter}+(?:{mark}+{letter}*)*|(?:{mark}+{letter}*)+"


@lru_cache(maxsize=1)
def marks() -> str:
    """Return, for use in `[]`, what stands on letters and is none: accents, vowel signs.

    Regular expressions do not count them to words, and would take those of Hindi apart. Marks of
    unspaced scripts are not among them, nor the selectors that choose how an emoji looks, nor those
    of the rare scripts beyond U+FFFF, which would make each search three times as slow.
    """
    unspaced = re.compile(f"[{UNSPACED}]")
    return "".join(
        character
        for character in map(chr, range(0x300, 0x10000))
        if unicodedata.category(character) in {"Mn", "Mc"}
        and not unspaced.match(character)
        and not "\ufe00" <= character <= "\ufe0f"
    )
