"""The words that constraints are about: the instruction's where wanted, our own where not.

What an answer must use is taken from the instruction itself, so that it fits the subject and costs
no call; what it must avoid is taken from words that any answer can do without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

LANGUAGES = {
    "cs": "Czech",
    "de": "German",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "it": "Italian",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "vi": "Vietnamese",
}
"""Code to name, of languages that part words by spaces and that checkers tell apart well."""
MARKERS = ("Section", "Chapter", "Step")
FORBIDDEN = (
    *("actually", "basically", "crucial", "furthermore", "however", "important", "interesting"),
    *("moreover", "often", "overall", "really", "significant", "simply", "therefore", "thing"),
    *("things", "usually", "very"),
)
"""Words that any answer can do without, whatever it is about."""
END_PHRASES = (
    "That is all there is to it.",
    "Let us leave it at that.",
    "Now it is up to you.",
    "Which part should we look at next?",
    "Tell me if a part of it is unclear.",
    "And so the circle closes.",
)
COMMON_LETTERS = tuple("adehinorst")
RARE_LETTERS = tuple("jkqvxz")

_WORD = re.compile(r"(?<![\w'’-])[^\W\d_]{3,30}(?![\w'’-])")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
# Words of the language rather than of a subject, and those that say what is to be done.
_EMPTY = """
about above across add after again all along also and another answer any are ask because been before
being below between both brief but can compare consider could create define describe did discuss
does doing down during each either else ensure every example explain few find following for from
generate get give given had has have having help her here hers him his how identify include
including into its itself just let like list made make many may might more most much must need
neither nor not off once one only onto other our out over own per please point points provide
question rather reply request respond response rewrite same sentence sentences shall she short
should show since some something such suggest summarize take tell than that the their them then
there these they this those three through too two under until upon use used using want was way were
what when where whether which while who whom whose why will with within without word words would
write you your yours
"""
_WITHOUT_SUBJECT = {*_EMPTY.split(), *FORBIDDEN}


def content_words(text: str) -> tuple[str, ...]:
    """Return the words that tell what a text is about, in small letters, sorted, each once.

    Words of fewer than three letters or more than thirty do not count, nor any in a script that
    puts no spaces between words, nor those that are part of another one or of a marker of sections:
    a checker that looks for one must not find it in the other.
    """
    found = {word.lower() for word in _WORD.findall(text) if not _UNSPACED.search(word)}
    found -= _WITHOUT_SUBJECT
    inside = {part for marker in MARKERS for part in _parts(marker.lower())}
    inside |= {marker.lower() for marker in MARKERS}
    inside |= {part for word in found for part in _parts(word)}
    return tuple(sorted(found - inside))


def _parts(word: str) -> Iterator[str]:
    """Yield each run of three letters or more in a word that is shorter than the word."""
    for start, end in combinations(range(len(word) + 1), 2):
        if 3 <= end - start < len(word):
            yield word[start:end]
