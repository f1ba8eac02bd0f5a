"""The stem of an English word, by Porter's rules.

Method: Porter, "An algorithm for suffix stripping" (1980), with the departures that the package
NLTK makes by default (so `rouge_score` too): a few irregular words, short words as they are,
`-ies`, `-ied`, `-fully`, `-logi`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

_IRREGULAR = {
    form: stem
    for stem, forms in {
        "sky": "sky skies",
        "die": "dying",
        "lie": "lying",
        "tie": "tying",
        "news": "news",
        "inning": "innings inning",
        "outing": "outings outing",
        "canning": "cannings canning",
        "howe": "howe",
        "proceed": "proceed",
        "exceed": "exceed",
        "succeed": "succeed",
    }.items()
    for form in forms.split()
}
_MEASURE = re.compile("vc")

Condition = Callable[[str], bool]
Rule = tuple[str, str, Condition]
"""An ending, what takes its place, and what must hold of what stands before."""


def _kinds(word: str) -> str:
    """Return v for each vowel and c for each consonant; y is a vowel after a consonant."""
    kinds = ""
    for place, letter in enumerate(word):
        vowel = letter in "aeiou" or (letter == "y" and place > 0 and kinds[-1] == "c")
        kinds += "v" if vowel else "c"
    return kinds


def _measure(word: str) -> int:
    return len(_MEASURE.findall(_kinds(word)))


def _long(word: str) -> bool:
    return _measure(word) > 0


def _longer(word: str) -> bool:
    return _measure(word) > 1


def _long_with_l(word: str) -> bool:
    return _long(word + "l")


def _longer_on_s_or_t(word: str) -> bool:
    return word.endswith(("s", "t")) and _longer(word)


def _voiced(word: str) -> bool:
    return "v" in _kinds(word)


def _closed(word: str) -> bool:
    """Return whether it ends like `hop`; words of two letters like `at` count too."""
    kinds = _kinds(word)
    if kinds.endswith("cvc"):
        return word[-1] not in "wxy"
    return kinds == "vc"


def _any(word: str) -> bool:
    return True


def _rules(condition: Condition, pairs: str) -> tuple[Rule, ...]:
    """Return the rules that `ending>replacement` spell, with one condition."""
    found = (pair.partition(">") for pair in pairs.split())
    return tuple((ending, to, condition) for ending, _, to in found)


_PLURALS = _rules(_any, "sses>ss ies>i ss>ss s>")
_SECOND: tuple[Rule, ...] = (
    *_rules(_long, "ational>ate tional>tion enci>ence anci>ance izer>ize bli>ble"),
    *_rules(_long, "alli>al entli>ent eli>e ousli>ous ization>ize ation>ate ator>ate"),
    *_rules(_long, "alism>al iveness>ive fulness>ful ousness>ous aliti>al iviti>ive"),
    *_rules(_long, "biliti>ble fulli>ful"),
    ("logi", "log", _long_with_l),
)
_THIRD = _rules(_long, "icate>ic ative> alize>al iciti>ic ical>ic ful> ness>")
_FOURTH: tuple[Rule, ...] = (
    *_rules(_longer, "al> ance> ence> er> ic> able> ible> ant> ement> ment> ent>"),
    ("ion", "", _longer_on_s_or_t),
    *_rules(_longer, "ou> ism> ate> iti> ous> ive> ize>"),
)


def _applied(word: str, rules: Iterable[Rule]) -> str:
    """Return the word after the first rule whose ending it has, if its condition holds."""
    for ending, replacement, condition in rules:
        if word.endswith(ending):
            stem = word[: len(word) - len(ending)]
            return stem + replacement if condition(stem) else word
    return word


def _without_tense(word: str) -> str:
    if word.endswith("ied"):
        return word[:-3] + ("ie" if len(word) == 4 else "i")
    if word.endswith("eed"):
        return word[:-1] if _long(word[:-3]) else word
    for ending in ("ed", "ing"):
        stem = word[: len(word) - len(ending)]
        if word.endswith(ending) and _voiced(stem):
            return _mended(stem)
    return word


def _mended(stem: str) -> str:
    """Return a stem after `-ed` or `-ing` as it stands alone: conflat(ed) + e, hopp(ing) - p."""
    if stem.endswith(("at", "bl", "iz")):
        return stem + "e"
    if stem[-1] == stem[-2:-1] and _kinds(stem)[-1] == "c":
        return stem if stem[-1] in "lsz" else stem[:-1]
    return stem + "e" if _measure(stem) == 1 and _closed(stem) else stem


def _with_i(word: str) -> str:
    consonant = len(word) > 2 and _kinds(word[:-1])[-1] == "c"
    return word[:-1] + "i" if word.endswith("y") and consonant else word


def _tidied(word: str) -> str:
    if word.endswith("e"):
        stem = word[:-1]
        if _measure(stem) > 1 or (_measure(stem) == 1 and not _closed(stem)):
            word = stem
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """Return the stem of a word in small letters: no word itself, but the same for its forms.

    Words of two letters or fewer, and what is not English, stay much as they are.
    """
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 2:
        return word
    word = word[:-1] if word.endswith("ies") and len(word) == 4 else _applied(word, _PLURALS)
    word = _with_i(_without_tense(word))
    if word.endswith("alli") and _long(word[:-4]):
        word = word[:-2]
    word = _applied(word, _SECOND)
    return _tidied(_applied(_applied(word, _THIRD), _FOURTH))
