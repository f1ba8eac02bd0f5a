"""Whether two formulas say the same, by the package math-verify (Hugging Face, 2024).

Its time limits need the main thread of a process, which is where a worker judges.
"""
# math-verify is an extra, untyped where it is absent and in part where it is there.
# pyright: reportMissingImports=false, reportMissingTypeStubs=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import re
from typing import Any

PACKAGE = "math_verify"
_MARKED_UP = re.compile(r"\$|\\\(|\\\[|\\boxed")
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_FUNCTIONS = frozenset(
    ("sin", "cos", "tan", "cot", "sec", "csc", "log", "ln", "exp", "sqrt", "pi", "max", "min")
)


class UndecidedError(Exception):
    """A comparison that took too long, or that math-verify broke over."""


def is_formula(answer: str) -> bool:
    """Return whether an answer without a LaTeX mark is a formula, not words or a number's unit."""
    return all(word in _FUNCTIONS for word in _WORDS.findall(answer))


def same(wanted: str, found: str, *, seconds: int) -> bool | None:
    """Return whether two formulas, LaTeX or plain, are equal; None if `found` cannot be read.

    The order counts: an interval may answer an inequality, not the other way round. Raises
    UndecidedError.
    """
    from math_verify import parse, verify
    from math_verify.errors import TimeoutException

    def read(formula: str) -> list[Any]:
        if not _MARKED_UP.search(formula):
            formula = rf"$\boxed{{{formula}}}$"
        return parse(formula, parsing_timeout=seconds, raise_on_error=True)

    try:
        gold, target = read(wanted), read(found)
        if not target:
            return None
        return bool(verify(gold, target, timeout_seconds=seconds, raise_on_error=True))
    # sympy raises anything over odd input, and the time-out is no Exception.
    except (Exception, TimeoutException) as error:
        raise UndecidedError(f"{type(error).__name__}: {error}") from error
