"""Bounds on a field: a score, a tag or a side that a stage or the seed put on the record."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self, cast

from pydantic import Field as Option
from pydantic import JsonValue, model_validator

from synth import Record, Verdict, Verifier

_BOUNDS = {
    "above": ("too_low", operator.gt),
    "at_least": ("too_low", operator.ge),
    "below": ("too_high", operator.lt),
    "at_most": ("too_high", operator.le),
}


class Field(Verifier):
    """The record's field `of` has one of the values, or lies within the bounds, that are given.

    `other_value`: it is none of `equals` or `one_of`. `too_low`, `too_high`: it is out of bounds.
    A record without the field, or with null there, is not judged (`no_field`), nor is one whose
    value is no number where there are bounds (`not_a_number`); `on_abstain: drop` drops those. True
    and 1 are different values, 1 and 1.0 are the same. The score is the value, if it is a number.
    """

    name: ClassVar[str] = "field"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (
        "other_value",
        "too_low",
        "too_high",
        "no_field",
        "not_a_number",
    )

    of: str = Option(min_length=1)
    """The field's name; a dot reaches into it (`ratings.helpfulness`), unless a field has that very
    name."""
    equals: JsonValue = None
    """The value that passes."""
    one_of: tuple[JsonValue, ...] = ()
    """The values that pass."""
    above: float | None = None
    """What a number must be greater than."""
    at_least: float | None = None
    """The least number that passes."""
    below: float | None = None
    """What a number must be less than."""
    at_most: float | None = None
    """The greatest number that passes."""

    @model_validator(mode="after")
    def _wants_something(self) -> Self:
        valued = self.equals is not None or bool(self.one_of)
        if not valued and not self._bounded:
            wanted = ", ".join(("equals", "one_of", *_BOUNDS))
            raise ValueError(f"wants at least one of {wanted}; none is given")
        if self.equals is not None and self.one_of:
            raise ValueError("wants `equals` or `one_of`, not both")
        return self

    @property
    def _bounded(self) -> bool:
        return any(getattr(self, bound) is not None for bound in _BOUNDS)

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(value_at(record.fields, self.of)) for record in records]

    def _verdict(self, value: Any) -> Verdict:
        if value is None:
            return Verdict.abstained("no_field", f"the record has no {self.of!r}")
        number = number_in(value)
        if self._bounded and number is None:
            return Verdict.abstained("not_a_number", f"{self.of!r} is {_shown(value)}")
        code, wanted = self._wrong(value, number)
        if not code:
            return Verdict.passed(score=number)
        said = f"{self.of!r} is {_shown(value)}, wants {wanted}"
        return Verdict.failed(code, said, score=number)

    def _wrong(self, value: Any, number: float | None) -> tuple[str, str]:
        """Return the code of what is wrong with a value, and what was wanted; or two times ""."""
        allowed = self.one_of or (() if self.equals is None else (self.equals,))
        if allowed and not any(_same(value, one) for one in allowed):
            return "other_value", " or ".join(map(_shown, allowed))
        for bound, (code, holds) in _BOUNDS.items():
            limit: float | None = getattr(self, bound)
            if number is not None and limit is not None and not holds(number, limit):
                return code, f"{bound.replace('_', ' ')} {limit:g}"
        return "", ""


def value_at(fields: Mapping[str, Any], path: str) -> Any:
    """Return the field called `path`, else what lies there if its dots reach into one, or None."""
    if path in fields:
        return fields[path]
    found: Any = fields
    for name in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = cast("Mapping[str, Any]", found).get(name)
    return found


def number_in(value: Any) -> float | None:
    """Return a finite number as it is, and None for anything else; True is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _same(value: Any, wanted: Any) -> bool:
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else shown[:79] + "…"
