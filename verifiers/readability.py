"""How easy an English text is to read, by the length of its sentences and words."""

from __future__ import annotations

import re
from typing import ClassVar, Literal

from synth import Verdict

from . import bounds, markdown
from .measured import Measured
from .sentences import blocks_of, sentences_in
from .syllables import syllables
from .text_of import nothing_to_judge

_WORD = re.compile(r"[a-zà-öø-ÿœ]+(?:['’][a-z]+)*")
_NAMES = {"grade": "the Flesch-Kincaid grade", "ease": "the Flesch reading ease"}


class Readability(Measured):
    """The readability of an English text, as a grade or an ease.

    `grade` (Flesch-Kincaid): the year of school in the United States that it takes to understand
    the text; children's books have 2 to 5, newspapers 8 to 12, laws above 16. `ease` (Flesch): 100
    is very easy, 60 plain English, 0 very hard. Neither is limited: one endless sentence has a
    grade of hundreds and an ease far below 0.

    Words are runs of Latin letters. A sentence ends at its mark (not after a title, an initial, or
    before a small letter), at the end of a paragraph, an item of a list or a heading. Syllables are
    told by letters, right for 98 of 100 words of running English. Fenced code and table rows are
    left out. The formulas were fitted to English: judge `language` first. Not judged: a text
    without words, or in which most letters are of another script (`other_script`).

    The score is the one that `formula` names; evidence is both, and the number of words, sentences
    and syllables. `too_low`, `too_high`: it is out of the bounds that are given; without any it
    passes.

    Source: Flesch, "A new readability yardstick" (1948); Kincaid et al., "Derivation of New
    Readability Formulas for Navy Enlisted Personnel" (1975).
    """

    name: ClassVar[str] = "readability"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (*bounds.REASONS, "other_script", "nothing_to_judge")

    formula: Literal["grade", "ease"] = "grade"
    """Which number is the score, and is bounded."""

    def _verdict(self, text: str | None) -> Verdict:
        prose = markdown.split(text or "").prose
        if _mostly_of_another_script(prose):
            return Verdict.abstained("other_script", "most letters are not of the Latin script")
        words = _WORD.findall(prose.lower())
        if not words:
            return nothing_to_judge(self.of)
        sentences = max(1, sum(map(sentences_in, blocks_of(prose))))
        counts = len(words), sentences, sum(map(syllables, words))
        scores = {"grade": grade(*counts), "ease": ease(*counts)}
        evidence = {name: round(score, 2) for name, score in scores.items()}
        evidence |= dict(zip(("words", "sentences", "syllables"), counts, strict=True))
        score, what = scores[self.formula], _NAMES[self.formula]
        return bounds.bounded(score, self.at_least, self.at_most, what=what, evidence=evidence)


def grade(words: int, sentences: int, syllables: int) -> float:
    """Return the Flesch-Kincaid grade."""
    return 0.39 * words / sentences + 11.8 * syllables / words - 15.59


def ease(words: int, sentences: int, syllables: int) -> float:
    """Return the Flesch reading ease."""
    return 206.835 - 1.015 * words / sentences - 84.6 * syllables / words


def _mostly_of_another_script(text: str) -> bool:
    if text.isascii():
        return False
    letters = sum(map(str.isalpha, text))
    return sum(map(len, _WORD.findall(text.lower()))) * 2 < letters
