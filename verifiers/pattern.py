"""Regular expressions that a text must or must not hold."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Self

from pydantic import field_validator, model_validator

from synth import Record, Verdict, Verifier

from .text_of import Of, nothing_to_judge, text_of


class Pattern(Verifier):
    r"""The text holds a match of each pattern in `wants`, and none of those in `forbids`.

    `missing_pattern`: one of `wants` is nowhere. `forbidden_pattern`: one of `forbids` is there.
    Patterns are Python's regular expressions, searched anywhere; `^` and `$` are the ends of the
    text, `(?m)` in front makes them those of a line. A blank text is judged like any other; a
    record without the text is not. Evidence is the pattern, and what it found and where.
    """

    name: ClassVar[str] = "pattern"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (
        "missing_pattern",
        "forbidden_pattern",
        "nothing_to_judge",
    )

    of: Of = "reply"
    """Which text: the `reply`, the `instruction`, or `all` messages."""
    wants: tuple[str, ...] = ()
    """Patterns of which each must be found."""
    forbids: tuple[str, ...] = ()
    """Patterns of which none may be found."""
    ignore_case: bool = False
    """Whether capital and small letters are the same."""

    @field_validator("wants", "forbids")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"wants a regular expression, got {pattern!r}: {error}") from error
        return patterns

    @model_validator(mode="after")
    def _looks_for_something(self) -> Self:
        if not self.wants and not self.forbids:
            raise ValueError("wants at least one pattern in `wants` or `forbids`; none is given")
        return self

    @cached_property
    def _compiled(self) -> tuple[list[re.Pattern[str]], list[re.Pattern[str]]]:
        flags = re.IGNORECASE if self.ignore_case else re.NOFLAG
        wants = [re.compile(pattern, flags) for pattern in self.wants]
        return wants, [re.compile(pattern, flags) for pattern in self.forbids]

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(text_of(record, self.of)) for record in records]

    def _verdict(self, text: str | None) -> Verdict:
        if text is None:
            return nothing_to_judge(self.of)
        wants, forbids = self._compiled
        for pattern in wants:
            if not pattern.search(text):
                evidence = {"pattern": pattern.pattern}
                said = f"nothing in the {self.of} matches {pattern.pattern!r}"
                return Verdict.failed("missing_pattern", said, evidence=evidence)
        for pattern in forbids:
            if found := pattern.search(text):
                evidence = {
                    "pattern": pattern.pattern,
                    "found": found[0][:200],
                    "at": found.start(),
                }
                said = f"{found[0][:80]!r} in the {self.of} matches {pattern.pattern!r}"
                return Verdict.failed("forbidden_pattern", said, evidence=evidence)
        return Verdict.passed()
