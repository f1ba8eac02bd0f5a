r"""The final answer of a reply against the one that the seed brings."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, ClassVar, Literal, Self, cast

from pydantic import Field, model_validator

from synth import Answer, Record, Verdict, Verifier

from . import formulas
from .text_of import nothing_to_judge, text_of

_LETTER = re.compile(r"(?<![A-Za-z'’])\(?([A-J])\)?(?![A-Za-z'’])")
_LONE_LETTER = re.compile(
    r"\W*([A-Ja-j])\W*(?:[).:](?!\s*(?:and|or)\b).*|[,;]\s*(?:because|since|as)\b.*)?", re.DOTALL
)
_ARTICLE_OR_I = re.compile(
    r"\bA(?=\s+(?!(?:is|because|since|and|or|with|by|as)\b)[a-z])|\bI(?=['’]|\s+(?!is\b)[a-z])"
)
_NO_CHOICE = re.compile(r"\b(?:not|neither|except|never)\b|n['’]t\b", re.IGNORECASE)
_NAMED = re.compile(
    r"\b(?!(?:Option|Choice|Letter|Answer|Statement|Probably|Likely|It|Is|The)\b)[A-Z]\w+\s+[A-J]\b"
)


class _UnreadableError(ValueError):
    """An answer that is no answer of its kind; the message is the sentence of the reason."""


class FinalAnswer(Verifier):
    r"""The reply's final answer is the expected one, which stands in a field of the record.

    The answer is what follows the last mark: `\boxed{…}`, `#### …`, `Answer: …` at the beginning of
    a line, `the answer is …`. `wrong_answer`: it is another. `no_answer`: nothing is marked.
    `unreadable_answer`: what is marked is no number, formula or letter, or several; never a win.
    Not judged: a record without an expected answer (`no_expected`) or with one that is not of this
    kind (`unreadable_expected`), and a comparison that ends without a result (`undecided`).

    `number`: decimals, thousands with commas, fractions, `3 million`; units, currencies and percent
    signs do not count, so 50% is 50. `math`: LaTeX or plain formulas by math-verify, which knows
    equal forms, sets, intervals and equations; a reply that repeats a formula to be simplified
    passes. `choice`: a letter from A to J. `text`: equal words in any case, without articles
    and punctuation. Evidence is what was expected and what was found.
    """

    name: ClassVar[str] = "final_answer"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (
        "wrong_answer",
        "no_answer",
        "unreadable_answer",
        "no_expected",
        "unreadable_expected",
        "undecided",
        "nothing_to_judge",
    )

    kind: Literal["number", "math", "choice", "text"] = "number"
    """How answers are read and compared."""
    expected: str = "answer"
    """The field with the expected answer: a text, a number, or a list of which one suffices."""
    tolerance: float = Field(0.0, ge=0, lt=1)
    """How far a number may be off, as a share of the expected one (of 1 where that is 0)."""
    marks: tuple[str, ...] = Answer.MARKS
    """Words that mark an answer before a colon, or before "is"; in any case."""
    unmarked: Literal["fail", "last"] = "fail"
    """What a reply without a mark is: no answer, or judged by its last number, letter or line."""
    seconds: int = Field(5, ge=1, le=60)
    """How long one comparison of formulas may take."""

    @model_validator(mode="after")
    def _can_compare_formulas(self) -> Self:
        if self.kind == "math" and importlib.util.find_spec(formulas.PACKAGE) is None:
            raise ValueError(
                "comparing formulas needs math-verify: run `pip install 'expertsynth[math]'`"
            )
        return self

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict:
        reply = text_of(record, "reply")
        if reply is None:
            return nothing_to_judge("reply")
        wanted = _texts(record.fields.get(self.expected))
        if not wanted:
            return Verdict.abstained("no_expected", f"the record has no {self.expected!r}")
        found = Answer.marked_in(reply, self.marks)
        if found is None and self.unmarked == "last":
            found = Answer.last_in(reply)
        if found is None or not found.text:
            return Verdict.failed("no_answer", "the reply marks no final answer")
        evidence = {"expected": wanted[0] if len(wanted) == 1 else wanted, "found": found.text}
        return self._compared(wanted, found, evidence)

    def _compared(self, wanted: Sequence[str], found: Answer, evidence: dict[str, Any]) -> Verdict:
        same = getattr(self, f"_same_{self.kind}")
        try:
            if any(same(one, found) for one in wanted):
                return Verdict.passed(evidence=evidence)
        except _UnreadableError as error:
            return Verdict.failed("unreadable_answer", str(error), evidence=evidence)
        except _UnexpectedError as error:
            return Verdict.abstained("unreadable_expected", str(error))
        except formulas.UndecidedError as error:
            return Verdict.abstained("undecided", str(error))
        said = f"found {_short(found.text)}, wants {' or '.join(map(_short, wanted))}"
        return Verdict.failed("wrong_answer", said, evidence=evidence)

    def _same_number(self, wanted: str, found: Answer) -> bool:
        expected = Answer(wanted).number
        if expected is None:
            raise _UnexpectedError(f"{self.expected!r} is {_short(wanted)}, wants a number")
        number = found.number
        if number is None:
            raise _UnreadableError(f"{_short(found.text)} is not one number, read in one way")
        return _close(number, expected, self.tolerance)

    def _same_math(self, wanted: str, found: Answer) -> bool:
        number, expected = found.number, Answer(wanted).number
        if number is not None and expected is not None and _close(number, expected, self.tolerance):
            return True
        if not found.boxed and not formulas.is_formula(found.text) and "$" not in found.text:
            if number is None:
                raise _UnreadableError(f"{_short(found.text)} is words, no formula")
            return False
        equal = formulas.same(wanted, found.text, seconds=self.seconds)
        if equal is None:
            raise _UnreadableError(f"{_short(found.text)} is no formula that can be read")
        return equal

    def _same_choice(self, wanted: str, found: Answer) -> bool:
        expected = _letter(wanted)
        if expected is None:
            raise _UnexpectedError(f"{self.expected!r} is {_short(wanted)}, wants a letter A to J")
        letter = _letter(found.text)
        if letter is None:
            raise _UnreadableError(f"{_short(found.text)} names no letter from A to J, or several")
        return letter == expected

    def _same_text(self, wanted: str, found: Answer) -> bool:
        return found.key == Answer(wanted).key


class _UnexpectedError(ValueError):
    """An expected answer that is not of the kind; the message is the sentence of the reason."""


def _texts(expected: object) -> list[str]:
    """Return the expected answers as texts; none where there is nothing to compare with."""
    if isinstance(expected, list):
        return [text for one in cast("list[object]", expected) for text in _texts(one)]
    if isinstance(expected, bool) or not isinstance(expected, str | int | float):
        return []
    text = str(expected).strip()
    return [text] if text else []


def _letter(answer: str) -> str | None:
    answer = re.sub(r"\\(?:text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}", r"\1", answer)
    answer = unicodedata.normalize("NFKC", answer)
    if alone := _LONE_LETTER.fullmatch(answer):
        return alone[1].upper()
    if _NO_CHOICE.search(answer) or _NAMED.search(answer):
        return None
    letters = set(_LETTER.findall(_ARTICLE_OR_I.sub(" ", answer)))
    return letters.pop() if len(letters) == 1 else None


def _close(found: Fraction, wanted: Fraction, tolerance: float) -> bool:
    """Return whether two numbers differ by at most the share `tolerance` of the wanted one.

    Where that is 0, by at most `tolerance` itself.
    """
    return abs(found - wanted) <= Fraction(tolerance) * (abs(wanted) or 1)


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:79] + "…")
