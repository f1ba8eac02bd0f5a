"""Values that may live inside a run: what JSON can hold, as valid UTF-8."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from synth.record import whole_text

DEEPEST = 100
"""Lists and objects may be nested so deeply."""


class RowError(ValueError):
    """A row that cannot be a seed; its text is a stable code, a colon and a sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")


def plain(value: Any, depth: int = 0) -> Any:
    """Return `value` in terms of JSON, at every level.

    NaN and infinities become null; dates and times ISO text; durations seconds; a Decimal a float
    if that is exact, else text; bytes text if they are UTF-8; numpy and Arrow scalars their Python
    value; lone surrogates U+FFFD, in keys too. Raises RowError for anything else, a key that is no
    text, and deep nests.
    """
    kind = cast("Any", type(value))
    if kind is str:
        return whole_text(value)
    if value is None or kind is int or kind is bool:
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if depth == DEEPEST:
        raise RowError("too_deep", f"the row is nested more than {DEEPEST} deep")
    if kind is dict:
        return {_key(name): plain(given, depth + 1) for name, given in value.items()}
    if kind is list:
        return [plain(item, depth + 1) for item in value]
    return _converted(value, depth)


def _key(name: Any) -> str:
    if not isinstance(name, str):
        raise RowError("wrong_type", f"wanted text as the name of a field, found {name!r}")
    return whole_text(name)


def _converted(value: Any, depth: int) -> Any:
    for types, convert in _CONVERTERS:
        if isinstance(value, types):
            return plain(convert(value), depth + 1)
    return plain(_scalar(value), depth + 1)


def _number(value: Decimal) -> float | str | None:
    if not value.is_finite():
        return None
    return float(value) if Decimal(float(value)) == value else str(value)


def _decoded(value: Any) -> str:
    content = bytes(value)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowError("not_text", f"{len(content)} bytes that are not UTF-8 text") from error


def _scalar(value: Any) -> Any:
    """Return what a numpy or Arrow value is in Python; neither need be installed for that."""
    for name in ("as_py", "tolist"):
        if callable(convert := getattr(value, name, None)):
            return convert()
    raise RowError("wrong_type", f"a {type(value).__name__} has no counterpart in JSON")


_CONVERTERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    ((date, time), lambda moment: moment.isoformat()),
    (timedelta, lambda duration: duration.total_seconds()),
    (Decimal, _number),
    ((bytes, bytearray, memoryview), _decoded),
    (UUID, str),
    (Mapping, dict),
    (tuple, list),
)
"""From a type that JSON lacks to one nearer to it."""
