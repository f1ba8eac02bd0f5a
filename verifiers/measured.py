"""What verifiers that measure a text share: which text, and the bounds of the score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import model_validator

from synth import Record, Verdict, Verifier

from . import bounds
from .text_of import Of, text_of


class Measured(Verifier):
    """A number for a text; out of the bounds that are given the record fails."""

    reasons: ClassVar[tuple[str, ...]] = (*bounds.REASONS, "nothing_to_judge")

    of: Of = "reply"
    """Which text: the `reply`, the `instruction`, or `all` messages."""
    at_least: float | None = None
    """The least score that passes."""
    at_most: float | None = None
    """The greatest score that passes."""

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        bounds.refuse_crossed(self.at_least, self.at_most)
        return self

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(text_of(record, self.of)) for record in records]

    def _verdict(self, text: str | None) -> Verdict:
        """Return the verdict on a text; None is a record without one."""
        raise NotImplementedError(f"{type(self).__name__} must define _verdict()")
