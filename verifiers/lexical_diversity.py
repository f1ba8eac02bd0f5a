"""How many different words a text uses, by a measure that does not depend on its length."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from pydantic import Field

from synth import Verdict

from . import bounds
from .measured import Measured
from .text_of import nothing_to_judge
from .words import words


class LexicalDiversity(Measured):
    """The text's lexical diversity, as MTLD: how many words it goes on before it repeats itself.

    A factor is a stretch of words, from where the last one ended, until the share of different
    words in it falls below `factor` (the package lexicalrichness ends it where the share equals it,
    too). What is left at the end counts as a part of a factor: as far as its share has come on the
    way from 1 down to `factor`. The value is words by factors, the mean of reading forward and
    backward. English prose has some 50 to 110, a loop less than 10; it is steady from about 100
    words on, and says little of shorter texts.

    A text in which no word stands twice has no factor; it gets the value that it would have with
    one word repeated, the greatest one for its length (0.28 × words², or the number of words if
    that is more). Case does not count, a hyphen or an apostrophe parts words, a Chinese or Japanese
    character is a word. A text without words is not judged. The score is the value; evidence is the
    number of words. `too_low`, `too_high`: it is out of the bounds that are given; without any it
    passes.

    Source: McCarthy and Jarvis, "MTLD, vocd-D, and HD-D: A validation study of sophisticated
    approaches to lexical diversity assessment" (2010).
    """

    name: ClassVar[str] = "lexical_diversity"
    version: ClassVar[str] = "2"

    factor: float = Field(0.72, gt=0, lt=1)
    """The share of different words below which a factor ends."""

    def _verdict(self, text: str | None) -> Verdict:
        found = words(text or "")
        if not found:
            return nothing_to_judge(self.of)
        evidence = {"words": len(found)}
        value = mtld(found, self.factor)
        return bounds.bounded(value, self.at_least, self.at_most, what="MTLD", evidence=evidence)


def mtld(found: Sequence[str], factor: float = 0.72) -> float:
    """Return the MTLD of at least one word; time grows linearly with their number."""
    total = len(found)
    one_repeated = min(1.0, 1 / (total * (1 - factor)))
    forward = _factors(found, factor) or one_repeated
    backward = _factors(reversed(found), factor) or one_repeated
    return (total / forward + total / backward) / 2


def _factors(found: Iterable[str], factor: float) -> float:
    """Return how many factors there are, read in this order; 0 if all words are different."""
    factors = length = 0
    seen: set[str] = set()
    for word in found:
        length += 1
        seen.add(word)
        if len(seen) / length < factor:
            factors += 1
            length = 0
            seen.clear()
    if not length:
        return factors
    return factors + (1 - len(seen) / length) / (1 - factor)
