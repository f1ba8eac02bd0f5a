"""The rules that Gopher's web pages had to meet: quality, and repetition."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar

from pydantic import Field

from synth import Record, Verdict, Verifier

from . import repeats
from .bounds import Rule, judged
from .text_of import Of, nothing_to_judge, text_of
from .words import words

_BULLET = re.compile(r"[•‣▪◦●∙·]|[-*+–—]\s")
_LETTER = re.compile(r"[^\W\d_]")
_PARAGRAPHS = re.compile(r"\n{2,}")
_ELLIPSES = ("...", "…")
_STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")

_Limit = Annotated[float, Field(ge=0, le=1)]
Share = _Limit | None
TopShares = Mapping[Annotated[int, Field(ge=2, le=4)], _Limit]
RepeatedShares = Mapping[Annotated[int, Field(ge=2, le=10)], _Limit]

_TOP = {2: 0.2, 3: 0.18, 4: 0.16}
_REPEATED = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.1}


class Gopher(Verifier):
    """The text meets the rules that web pages had to meet for Gopher's corpus, MassiveText.

    The first broken one is the reason. Each option holds the published number; null, or an empty
    mapping, turns its rule off. Quality: `too_few_words`, `too_many_words`, `short_words` and
    `long_words` (the mean), `hashes` and `ellipses` (by words), `bullet_lines`, `ellipsis_lines`,
    `few_alphabetic_words`, `few_stop_words`. Repetition: `duplicate_paragraphs`,
    `duplicate_paragraph_characters`, `duplicate_lines`, `duplicate_line_characters`, `top_2_gram`
    to `top_4_gram` (the most frequent one, if it stands there twice), `duplicate_5_grams` to
    `duplicate_10_grams`.

    They were made for pages, not for replies. For instruction data the repetition rules make sense
    as they are (for code and tables with higher limits), so do `few_alphabetic_words`, `hashes` and
    `ellipses` for prose (Markdown's headings are hashes). Turn off `min_words` where answers may be
    short, `max_bullet_lines` where lists are wanted, `min_stop_words` for short answers and all
    languages but English. Languages without spaces fail `long_words`.

    What the paper leaves open: words are runs between white space; for n-grams and stop words
    punctuation and case do not count. Lines are those that are not blank, without white space
    around them. Shares of n-grams are of the characters of all words. What is a duplicate stood
    there before, so a first occurrence is none. A blank text is not judged. Evidence is the value
    that broke the rule.

    Source: Rae et al., "Scaling Language Models: Methods, Analysis & Insights from Training Gopher"
    (2021), appendix A.1.
    """

    name: ClassVar[str] = "gopher"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (
        "too_few_words",
        "too_many_words",
        "short_words",
        "long_words",
        "hashes",
        "ellipses",
        "bullet_lines",
        "ellipsis_lines",
        "few_alphabetic_words",
        "few_stop_words",
        "duplicate_paragraphs",
        "duplicate_paragraph_characters",
        "duplicate_lines",
        "duplicate_line_characters",
        *(f"top_{n}_gram" for n in range(2, 5)),
        *(f"duplicate_{n}_grams" for n in range(2, 11)),
        "nothing_to_judge",
    )

    of: Of = "reply"
    """Which text: the `reply`, the `instruction`, or `all` messages."""
    min_words: int | None = Field(50, ge=0)
    """Fewest words between white space."""
    max_words: int | None = Field(100_000, ge=0)
    """Most words between white space."""
    min_mean_word_length: float | None = Field(3.0, ge=0)
    """Least mean of the words' characters."""
    max_mean_word_length: float | None = Field(10.0, ge=0)
    """Greatest mean of the words' characters."""
    max_hashes: float | None = Field(0.1, ge=0)
    """Most hash symbols a word."""
    max_ellipses: float | None = Field(0.1, ge=0)
    """Most ellipses (three dots, or the one character) a word."""
    max_bullet_lines: Share = 0.9
    """Greatest share of lines that begin with a bullet point."""
    max_ellipsis_lines: Share = 0.3
    """Greatest share of lines that end with an ellipsis."""
    min_alphabetic_words: Share = 0.8
    """Least share of words that have a letter."""
    min_stop_words: int | None = Field(2, ge=0)
    """How many different ones of `stop_words` there must be."""
    stop_words: tuple[str, ...] = _STOP_WORDS
    """Words, in small letters, that are in any page of the language."""
    max_duplicate_paragraphs: Share = 0.3
    """Greatest share of paragraphs (between blank lines) that stood there before."""
    max_duplicate_paragraph_characters: Share = 0.2
    """Greatest share of the text in paragraphs that stood there before."""
    max_duplicate_lines: Share = 0.3
    """Greatest share of lines that stood there before."""
    max_duplicate_line_characters: Share = 0.2
    """Greatest share of the text in lines that stood there before."""
    max_top_ngram: TopShares = Field(default=_TOP)
    """n (2 to 4) to the greatest share of the text in its most frequent n-gram."""
    max_duplicate_ngrams: RepeatedShares = Field(default=_REPEATED)
    """n (2 to 10) to the greatest share of the text in n-grams that stood there before."""

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(text_of(record, self.of)) for record in records]

    def _verdict(self, text: str | None) -> Verdict:
        if text is None or not text.strip():
            return nothing_to_judge(self.of)
        return judged(self._rules(text))

    def _rules(self, text: str) -> Iterator[Rule]:
        found = words(text)
        yield from self._word_rules(text)
        lines = [stripped for line in text.splitlines() if (stripped := line.strip())]
        yield from self._line_rules(lines)
        distinct = len(set(found).intersection(self.stop_words))
        yield Rule("few_stop_words", "different stop words", distinct, self.min_stop_words, None)
        yield from self._duplicate_rules(text, lines)
        yield from self._top_rules(found)
        yield from self._ngram_rules(found)

    def _word_rules(self, text: str) -> Iterator[Rule]:
        found = text.split()
        count = len(found)
        length = sum(map(len, found)) / count
        yield Rule("too_few_words", "words", count, self.min_words, None)
        yield Rule("too_many_words", "words", count, None, self.max_words)
        yield Rule("short_words", "mean word length", length, self.min_mean_word_length, None)
        yield Rule("long_words", "mean word length", length, None, self.max_mean_word_length)
        yield Rule("hashes", "hash symbols a word", text.count("#") / count, None, self.max_hashes)
        ellipses = sum(map(text.count, _ELLIPSES)) / count
        yield Rule("ellipses", "ellipses a word", ellipses, None, self.max_ellipses)
        if self.min_alphabetic_words is not None:
            share = sum(word.isalpha() or bool(_LETTER.search(word)) for word in found) / count
            what, least = "share of words with a letter", self.min_alphabetic_words
            yield Rule("few_alphabetic_words", what, share, least, None)

    def _line_rules(self, lines: Sequence[str]) -> Iterator[Rule]:
        bullets = sum(_BULLET.match(line) is not None for line in lines) / len(lines)
        what = "share of lines with a bullet point"
        yield Rule("bullet_lines", what, bullets, None, self.max_bullet_lines)
        open_ends = sum(line.endswith(_ELLIPSES) for line in lines) / len(lines)
        what = "share of lines that end with an ellipsis"
        yield Rule("ellipsis_lines", what, open_ends, None, self.max_ellipsis_lines)

    def _duplicate_rules(self, text: str, lines: Sequence[str]) -> Iterator[Rule]:
        paragraphs = _PARAGRAPHS.split(text.strip()) if "\n\n" in text else [text]
        for kind, parts in (("paragraph", paragraphs), ("line", lines)):
            count, characters = repeats.duplicates(parts)
            code = f"duplicate_{kind}s"
            what = f"share of {kind}s that stood there before"
            yield Rule(code, what, count / len(parts), None, getattr(self, f"max_{code}"))
            code = f"duplicate_{kind}_characters"
            what = f"share of the text in {kind}s that stood there before"
            yield Rule(code, what, characters / len(text), None, getattr(self, f"max_{code}"))

    def _top_rules(self, found: Sequence[str]) -> Iterator[Rule]:
        bound = repeats.largest_word_share(found) if self.max_top_ngram else 0.0
        for n, most in sorted(self.max_top_ngram.items()):
            if n * bound > most:
                what = f"share of the text in its most frequent {n}-gram"
                yield Rule(f"top_{n}_gram", what, repeats.top_share(found, n), None, most)

    def _ngram_rules(self, found: Sequence[str]) -> Iterator[Rule]:
        limits = sorted(self.max_duplicate_ngrams.items())
        for place, (n, most) in enumerate(limits):
            share = repeats.repeated_share(found, n)
            what = f"share of the text in {n}-grams that stood there before"
            yield Rule(f"duplicate_{n}_grams", what, share, None, most)
            # No share of a longer n-gram is greater.
            if all(share <= later for _, later in limits[place:]):
                return
