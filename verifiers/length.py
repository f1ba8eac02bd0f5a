"""How long a text is: in words, characters or tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from pydantic import Field, model_validator

from synth import Record, TokenizerFile, Verdict, Verifier, count_tokens

from .text_of import Of, nothing_to_judge, text_of

_UNITS = ("words", "characters", "tokens")
_BOUNDS = tuple(f"{side}_{unit}" for unit in _UNITS for side in ("min", "max"))


class Length(Verifier):
    """The text is neither too short nor too long. Bounds are inclusive; at least one must be given.

    Words are runs between white space: right for English, wrong for Chinese, Japanese or Thai,
    where a whole sentence is one word; bound characters or tokens there. Characters are Unicode
    code points without leading and trailing white space. Tokens are those of the `tokenizer` you
    name, without special tokens. An assistant's turn that says nothing has length 0, so `min_words:
    1` fails it; a record without an assistant's turn at the end is not judged. Evidence holds every
    length that was counted.
    """

    name: ClassVar[str] = "length"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = ("too_short", "too_long", "nothing_to_judge")

    of: Of = "reply"
    """Which text: the `reply`, the `instruction`, or `all` messages."""
    min_words: int | None = Field(None, ge=0)
    """Fewest words between white space."""
    max_words: int | None = Field(None, ge=0)
    """Most words between white space."""
    min_characters: int | None = Field(None, ge=0)
    """Fewest Unicode code points."""
    max_characters: int | None = Field(None, ge=0)
    """Most Unicode code points."""
    min_tokens: int | None = Field(None, ge=0)
    """Fewest tokens; needs `tokenizer`."""
    max_tokens: int | None = Field(None, ge=0)
    """Most tokens; needs `tokenizer`."""
    tokenizer: TokenizerFile | None = None
    """A tokenizer.json, or a folder that holds one. Needs the package tokenizers."""

    @model_validator(mode="after")
    def _bounds_make_sense(self) -> Self:
        if all(getattr(self, bound) is None for bound in _BOUNDS):
            raise ValueError(f"wants at least one bound of {', '.join(_BOUNDS)}; none is given")
        for unit in _UNITS:
            least, most = self._bounds(unit)
            if least is not None and most is not None and least > most:
                raise ValueError(f"wants min_{unit} ≤ max_{unit}, got {least} and {most}")
        if self._bounds("tokens") != (None, None) and self.tokenizer is None:
            raise ValueError(
                "min_tokens and max_tokens need `tokenizer`, the path of a tokenizer.json"
            )
        return self

    def _bounds(self, unit: str) -> tuple[int | None, int | None]:
        return getattr(self, f"min_{unit}"), getattr(self, f"max_{unit}")

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(text_of(record, self.of)) for record in records]

    def _verdict(self, text: str | None) -> Verdict:
        if text is None:
            return nothing_to_judge(self.of)
        lengths = self._lengths(text.strip())
        for unit, count in lengths.items():
            least, most = self._bounds(unit)
            if least is not None and count < least:
                said = f"{count} {unit}, wants at least {least}"
                return Verdict.failed("too_short", said, evidence=lengths)
            if most is not None and count > most:
                said = f"{count} {unit}, wants at most {most}"
                return Verdict.failed("too_long", said, evidence=lengths)
        return Verdict.passed(evidence=lengths)

    def _lengths(self, text: str) -> Mapping[str, int]:
        lengths = {"words": len(text.split()), "characters": len(text)}
        if self.tokenizer is not None:
            lengths["tokens"] = count_tokens(text, self.tokenizer)
        return lengths
