"""The final answer of a reply: where it stands, which number it is, and when two are the same.

Verifiers compare it with the expected one; stages that vote count it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

from synth.answers.marks import last_mark, plain
from synth.answers.numbers import number_of

_FORMULA = re.compile(r"[\\^=<>{}\[\]|*+$]|\d\s*,\s*\d|\d\s?!")
_EDGES = re.compile(r"[.,;:!?\"'“”‘’`()\[\]]+")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer as somebody gave it."""

    MARKS: ClassVar[tuple[str, ...]] = ("answer", "final answer", "correct answer", "A")
    """Words that mark an answer, where nobody names others."""

    text: str
    """Without the mark, emphasis, quotation marks and a full stop around it; may be empty."""
    boxed: bool = False
    """Whether it stood in a LaTeX box: then it is a formula, even where it looks like words."""

    @classmethod
    def marked_in(cls, reply: str, words: Sequence[str] = MARKS) -> Answer | None:
        r"""Return what follows the last mark of a reply, or None if there is none.

        Marks are `\boxed{…}`, `#### …`, and the `words` in any case: at the beginning of a line and
        before a colon (`Answer: 5`), or anywhere before "is" (`the answer is 5`). A word of one
        letter needs the colon, and is no mark in a reply that lists options (`A: …`, `B: …`).
        """
        found = last_mark(reply, words)
        return None if found is None else cls(*found)

    @classmethod
    def last_in(cls, reply: str) -> Answer:
        """Return the last line of a reply, as the answer of one that marks none."""
        lines = [line for line in reply.splitlines() if line.strip()]
        return cls(plain(lines[-1]) if lines else "")

    @property
    def number(self) -> Fraction | None:
        """The number that it gives, with or without its unit, or None.

        Of an equation (`6 * 3 = 18`) that is what stands after the last equals sign; of several
        numbers the one that it begins with (`18 dollars for 3 days`). Alternatives (`3 or 4`) are
        none, nor is what can be read in two ways (`3,5`), a list, a date, or a number that is but a
        part of what is said (`√2`, `2x`, `< 2`, `not 2`).
        """
        # In a box an exclamation mark is a factorial, in prose joy.
        if self.boxed and re.search(r"\d\s?!", self.text):
            return None
        return number_of(self.text)

    @property
    def key(self) -> str:
        """The form in which equal answers are equal texts; empty if it says nothing.

        A number is a fraction in lowest terms (`18.0 km` and `18` are one); a formula loses its
        white space, but `x + 1` is not `1 + x` here; words lose case, articles and punctuation.
        """
        if (number := self.number) is not None:
            return str(number)
        if _FORMULA.search(self.text):
            return re.sub(r"[\s$]+", "", self.text)
        return " ".join(_ARTICLES.sub(" ", _EDGES.sub(" ", self.text.casefold())).split())
