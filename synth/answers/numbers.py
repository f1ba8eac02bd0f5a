"""Reading a number that a person or a model wrote: `1,000`, `$18.50`, `3/4`, `-1.8 billion`."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction

_MINUS = str.maketrans({"−": "-", "–": "-", "﹣": "-", "－": "-", "\u00a0": " ", "\u202f": " "})
_LATEX_SPACE = re.compile(r"\\[,!;: ]|\{,\}|\\(?=[$%])|\$")
_FRAC = re.compile(r"\\[dt]?frac\s*\{\s*(-?\d+)\s*\}\s*\{\s*(\d+)\s*\}")
_TOKEN = re.compile(
    r"(?<![\w.,/])[-+]?\s?(?:[€£¥₹]\s?)?(?P<number>[\d.,]*\d)(?P<exponent>[eE][-+]?\d{1,3})?"
    r"(?:\s?/\s?(?P<below>\d+)(?![\d.,/]*\d))?"
    r"(?:\s+(?P<scale>hundred|thousand|million|billion|trillion)s?\b)?"
)
_PLAIN = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d+)?")
_SEVERAL = re.compile(r"\b(?:or|to|and|between)\b|\d\s*[-–±+*/^]\s*\d")
_BEGINS = re.compile(r"\s*(?:about|approximately|≈|~)?\s*\\?[-+−$€£¥₹]*\s*[.\d]", re.IGNORECASE)
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_LONGEST = 400


def _numbers_in(text: str) -> list[Fraction | None]:
    """Return the numbers of a text, in order; None for one that can be read in two ways (`3,5`)."""
    text = _LATEX_SPACE.sub("", text.translate(_MINUS))
    text = _FRAC.sub(r"\1/\2", text)
    return [_value(found) for found in _TOKEN.finditer(text)]


def _value(found: re.Match[str]) -> Fraction | None:
    number, below = found["number"], found["below"]
    if not _PLAIN.fullmatch(number) or len(number) > _LONGEST or below in {"0", "00"}:
        return None
    try:
        value = Fraction(Decimal(number.replace(",", "") + (found["exponent"] or "")))
        value = value / int(below) if below else value
    except (InvalidOperation, ValueError, ZeroDivisionError):
        return None
    value *= 10 ** _SCALES.get(found["scale"] or "", 0)
    return -value if found[0].lstrip().startswith("-") else value


def number_of(answer: str) -> Fraction | None:
    """Return the number that an answer gives, with or without its unit, or None.

    Of an equation (`6 * 3 = 18`) that is what stands after the last equals sign; of several numbers
    the one that the answer begins with (`18 dollars for 3 days`). Alternatives (`3 or 4`) are none.
    """
    after = answer.rpartition("=")[2]
    found = _numbers_in(after)
    if len(found) == 1 and after.strip():
        return found[0]
    found = _numbers_in(answer)
    if len(found) == 1:
        return found[0]
    if not found or _SEVERAL.search(answer):
        return None
    return found[0] if _BEGINS.match(answer) else None
