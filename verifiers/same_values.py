"""Whether what code gave is what a test expects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

_LONGEST = 200


def same_value(expected: Any, found: Any, tolerance: float = 0.0, *, as_json: bool = True) -> bool:
    """Return whether two builtin values are equal, as Python's `==` has it, with two exceptions.

    NaN equals NaN. With `as_json` a tuple equals a list of the same items, at any depth: JSON can
    spell no tuple. Floats may differ by `tolerance`, as a share of the greater one, or of 1.
    """
    if isinstance(expected, float) or isinstance(found, float):
        return _same_number(expected, found, tolerance)
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        left, right = cast("Mapping[Any, Any]", expected), cast("Mapping[Any, Any]", found)
        return left.keys() == right.keys() and all(
            same_value(left[key], right[key], tolerance, as_json=as_json) for key in left
        )
    if isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        left, right = cast("Sequence[Any]", expected), cast("Sequence[Any]", found)
        alike = as_json or isinstance(expected, list) == isinstance(found, list)
        pairs = zip(left, right, strict=False)
        return (alike and len(left) == len(right)) and all(
            same_value(one, other, tolerance, as_json=as_json) for one, other in pairs
        )
    return bool(expected == found)


def _same_number(expected: Any, found: Any, tolerance: float) -> bool:
    if not isinstance(expected, int | float) or not isinstance(found, int | float):
        return bool(expected == found)
    if expected == found:
        return True
    try:
        one, other = float(expected), float(found)
    except OverflowError:
        return False
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    return tolerance > 0 and math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)


def same_output(
    expected: str, printed: str, how: Literal["lines", "tokens", "exact"], tolerance: float = 0.0
) -> bool:
    """Return whether a program printed what is expected.

    `lines`: the lines are equal, up to white space at their ends and empty ones at the end.
    `tokens`: what stands between white space is equal; numbers may differ by `tolerance`.
    """
    if how == "exact":
        return expected == printed
    if how == "lines":
        return _lines(expected) == _lines(printed)
    wanted, found = expected.split(), printed.split()
    return len(wanted) == len(found) and all(map(_same_token(tolerance), wanted, found))


def _lines(text: str) -> Sequence[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _same_token(tolerance: float) -> Any:
    def same(wanted: str, found: str) -> bool:
        if wanted == found or not tolerance:
            return wanted == found
        try:
            return _same_number(float(wanted), float(found), tolerance)
        except ValueError:
            return False

    return same


def shown(value: Any) -> str:
    """Return a value in words, cut where it is long."""
    try:
        written = repr(value)
    except (ValueError, RecursionError):  # a number of too many digits
        written = f"a value of type {type(value).__name__}"
    return written if len(written) <= _LONGEST else f"{written[:_LONGEST]} …"
