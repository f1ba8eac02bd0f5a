"""Replies that refuse, or that speak of themselves as a model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, ClassVar, get_args

from pydantic import Field

from synth import Record, Verdict, Verifier

from . import markdown
from .refusal_phrases import PHRASES, Language
from .text_of import nothing_to_judge, text_of

_READ = 1000
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ＇´", "'"))
_QUOTED = re.compile(
    r"`[^`\n]*`|\"[^\"\n]*\"|“[^”\n]*”|„[^“”\n]*[“”]|«[^»\n]*»|「[^」\n]*」|『[^』\n]*』"
    # A single quote opens after a space and closes before one; an apostrophe does neither.
    r"|'(?<!\w')(?:[^'\n]|(?<=\w)'(?=\w))*'(?!\w)"
)
_QUOTED_LINE = re.compile(r"^\s*>.*$", re.MULTILINE)
_WHOLLY_QUOTED = re.compile(r"\s*([\"“„«「'])([^\"“”„«»「」]*)[\"”“»」']\s*", re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
_MARKUP = re.compile(r"[*_#]+")


class Refusal(Verifier):
    """The reply does what it was asked: it neither refuses nor says that it is only a model.

    `refusal`: one of the first `sentences` sentences declines the request. `speaks_as_model`: it
    says what no expert would say, that its author is an AI or a language model, or lacks a person's
    experience; also where that is the true answer to a question about itself. Judged by lists of
    phrases in English, German, French, Spanish and Chinese, in any case and with any apostrophe,
    and by your own in `extra`.

    Not judged: what stands in quotation marks, in quoted lines or in code (`He said "I can't help
    you"`), unless the whole reply is one quotation; what comes after the first sentences; a refusal
    in other words or languages; a reply that evades without refusing. Evidence is the phrase and
    its sentence.
    """

    name: ClassVar[str] = "refusal"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = ("refusal", "speaks_as_model", "nothing_to_judge")

    sentences: int = Field(2, ge=1)
    """How many sentences are read; a line break ends one. At most 1,000 characters."""
    languages: tuple[Language, ...] = get_args(Language)
    """Which lists of phrases are used."""
    extra: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """More phrases of refusal, as plain text in any case."""

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(text_of(record, "reply")) for record in records]

    def _verdict(self, text: str | None) -> Verdict:
        if text is None or not text.strip():
            return nothing_to_judge("reply")
        for sentence in first_sentences(text, self.sentences):
            if found := self._phrase(sentence):
                code, phrase = found
                said = f"the reply begins with {phrase!r}"
                evidence = {"phrase": phrase, "sentence": sentence[:300]}
                return Verdict.failed(code, said, evidence=evidence)
        return Verdict.passed()

    def _phrase(self, sentence: str) -> tuple[str, str] | None:
        for phrase in self.extra:
            if _plain(phrase) in sentence:
                return "refusal", phrase
        for language in self.languages:
            for code, pattern in PHRASES[language]:
                if found := pattern.search(sentence):
                    return code, found[0]
        return None


def first_sentences(text: str, count: int) -> list[str]:
    """Return the first sentences: lower case, plain apostrophes, no quotations, no code."""
    head = markdown.split(_plain(text.lstrip()[:_READ])).prose
    wholly = _WHOLLY_QUOTED.fullmatch(head)
    head = _QUOTED.sub(" ", _QUOTED_LINE.sub("", wholly[2] if wholly else head))
    sentences = (" ".join(part.split()) for part in _SENTENCE_END.split(_MARKUP.sub("", head)))
    return [sentence for sentence in sentences if sentence][:count]


def _plain(text: str) -> str:
    return text.translate(_APOSTROPHES).lower()
