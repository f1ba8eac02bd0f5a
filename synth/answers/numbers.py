"""Reading a number that a person or a model wrote: `1,000`, `$18.50`, `3/4`, `-1.8 billion`."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from unicodedata import normalize

_MINUS = str.maketrans({"−": "-", "–": "-", "﹣": "-", "－": "-", "\u00a0": " ", "\u202f": " "})
# Other spellings of what `_TOKEN` reads.
_VULGAR = re.compile(r"(\d?)([¼½¾⅐-⅞])")
_RAISED = re.compile(r"[⁻⁰¹²³⁴-⁹]+")
_MONEY = re.compile(r"([$€£¥₹]\s?[\d.,]*\d)\s?([kKMB])\b")
_LETTERS = {"k": "thousand", "K": "thousand", "M": "million", "B": "billion"}
_TIMES = r"\s?(?:[×·*x]|\\times|\\cdot)\s?"
_POWER = re.compile(
    rf"(?:(?P<times>(?<=\d){_TIMES})|(?<![\w.,^*/]))10\s?\^\s?\{{?(-?\d{{1,3}})(?!\d)\}}?"
)
_GROUPED = re.compile(r"(?<![\d.,/])\d{1,3}(?: \d{3})+(?![\d/]| \d)")
_LATEX_SPACE = re.compile(r"\\[,!;: ]|\{,\}|\\(?=[$%])|\$")
_FRAC = re.compile(
    r"(?P<whole>\d?)\s?\\[dt]?frac\s?(?:\{\s?(-?\d+)\s?\}|(\d))\s?(?:\{\s?(\d+)\s?\}|(\d))"
)
# A number with its sign, its currency, a denominator or an exponent, and its scale in words.
_TOKEN = re.compile(
    r"(?<![\w.,/])(?:(?:minus|negative)\s|[-+])?\s?(?:[€£¥₹]\s?)?"
    r"(?:(?P<whole>\d+) (?=\d+\s?/\s?\d))?(?P<number>[\d.,]*\d)(?P<exponent>[eE][-+]?\d{1,3})?"
    r"(?:\s?/\s?(?P<below>\d+)(?![\d.,/]*\d))?"
    r"(?:\s+(?P<scale>hundred|thousand|million|billion|trillion)s?\b)?"
)
_PLAIN = re.compile(r"(?:\d+|\d{1,3}(?:,\d{3})+)?(?:\.\d+)?")
# What tells that several numbers are meant, or that a number is but a part of a formula.
_SEVERAL = re.compile(
    r"\b(?:or|to|and|between)\b|\d\s*[-–±+*/^]\s*\d"
    r"|\d[^\w.]*[,;:/]\s*-?\d|\d\s+-?\d"  # a list, a time, a date
    r"|\d\s*(?!(?:for|in|per|each|over|after|every|of|on|at|from|by|with|within)\b)"
    r"[^\W\d]+\.?,?\s+\d"  # 5 feet 3 inches
)
_ALTERNATIVES = re.compile(r"[,;]\s|\b(?:or|and)\b")
_NO_NUMBER_BEFORE = re.compile(
    r"[<>≤≥≠±√—]|\\(?:neq?|[lg]eq?|[lg]t|pm|sqrt|log|ln|sin|cos|tan|overline)(?![a-z])"
    r"|[\^_]\s?\{?\s?\Z"
    r"|\b(?:not|log|ln|sqrt|(?:more|less|fewer|greater)\s+than)\b|n['’]t\b",
    re.IGNORECASE,
)
_NO_NUMBER_AFTER = re.compile(
    r"\s?(?:[*×·÷√π^_+]|\\(?:times|cdot|div|sqrt|pi)(?![a-z])|x\s?\d)(?!\s?\{?\\circ)"
    r"|:\d|/\d|[a-fijknp-rtu-zBDEGHIKMO-UX-Z](?![^\W\d])"  # 2x, 4i, 18K; not 18m, 18g
)
_BEGINS = re.compile(r"\s*(?:about|approximately|≈|~)?\s*\\?[-+−$€£¥₹]*\s*[.\d]", re.IGNORECASE)
_SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12}
_LONGEST = 400
_LONGEST_ANSWER = 2000
"""What is longer, in characters, is no number with its unit."""


def _cleaned(text: str) -> str:
    """Return a text with fractions, powers of ten, groups and scales in one spelling."""
    text = _VULGAR.sub(lambda found: f"{found[1]} {normalize('NFKC', found[2])}", text)
    text = _RAISED.sub(lambda found: "^" + normalize("NFKC", found[0]), text)
    text = text.replace("\N{FRACTION SLASH}", "/").translate(_MINUS)
    text = _MONEY.sub(lambda found: f"{found[1]} {_LETTERS[found[2]]}", text)
    text = _LATEX_SPACE.sub("", text)
    text = _FRAC.sub(_as_plain_fraction, text)
    text = _POWER.sub(lambda found: ("" if found["times"] else "1") + f"e{found[2]}", text)
    return _GROUPED.sub(lambda found: found[0].replace(" ", ""), text)


def _as_plain_fraction(found: re.Match[str]) -> str:
    gap = f"{found['whole']} " if found["whole"] else ""
    return f"{gap}{found[2] or found[3]}/{found[4] or found[5]}"


def _numbers_in(text: str) -> list[Fraction | None]:
    """Return the numbers of a text, in order; None for one that can be read in two ways (`3,5`)."""
    return [_value(found) for found in _TOKEN.finditer(text)]


def _value(found: re.Match[str]) -> Fraction | None:
    number, below = found["number"], found["below"]
    if not _PLAIN.fullmatch(number) or len(number) > _LONGEST or below in {"0", "00"}:
        return None
    try:
        value = Fraction(Decimal(number.replace(",", "") + (found["exponent"] or "")))
        value = value / int(below) if below else value
        value += int(found["whole"] or 0)
    except (InvalidOperation, ValueError, ZeroDivisionError):
        return None
    value *= 10 ** _SCALES.get(found["scale"] or "", 0)
    return -value if found[0].lstrip().startswith(("-", "minus", "negative")) else value


def number_of(answer: str) -> Fraction | None:
    """Return the number that an answer gives, with or without its unit, or None.

    Of an equation (`6 * 3 = 18`) that is what stands after the last equals sign; of several numbers
    the one that the answer begins with (`18 dollars for 3 days`). Alternatives (`3 or 4`) are none.
    """
    if len(answer) > _LONGEST_ANSWER:
        return None
    answer = _cleaned(answer)
    equation, _, after = answer.rpartition("=")
    if _ALTERNATIVES.search(equation, equation.find("=") + 1 or len(equation)):
        return None
    part = after if len(_numbers_in(after)) == 1 else answer
    found = _numbers_in(part)
    if not found or _stands_in_a_formula(part):
        return None
    if len(found) == 1:
        return found[0]
    return found[0] if _BEGINS.match(part) and not _SEVERAL.search(part) else None


def _stands_in_a_formula(text: str) -> bool:
    """Return whether what stands around the first number makes it something else: `√2`, `< 2`."""
    first = _TOKEN.search(text)
    assert first is not None
    before = text[: first.start()]
    return bool(_NO_NUMBER_BEFORE.search(before) or _NO_NUMBER_AFTER.match(text, first.end()))
