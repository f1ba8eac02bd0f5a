"""The rules that made C4 out of Common Crawl."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import ClassVar

from pydantic import Field

from synth import RecipeFile, Record, Verdict, Verifier

from .bounds import Rule, judged
from .sentences import sentences_in
from .text_of import Of, nothing_to_judge, text_of

_TERMINAL = (".", "!", "?", '"', "”", "'", "’")
_CITATION = re.compile(r"\[(?:\d{1,3}|citation needed|edit)\]", re.IGNORECASE)
_NOTICE = re.compile(
    r"javascript|terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies"
)


class C4(Verifier):
    """The text meets the rules by which the Colossal Clean Crawled Corpus chose web pages.

    `lorem_ipsum`: it holds these words. `curly_bracket`: it holds one. `bad_word`: it holds one of
    the file `bad_words` (the published list is not shipped). C4 cuts lines: those that end without
    a mark (. ! ? or a quote) or with an ellipsis, those of fewer than `min_line_words` words, with
    a word of more than `max_word_length` characters, or with a notice (JavaScript, cookies,
    policies, terms of use). Here they stay, but do not count. `too_few_sentences`: fewer are left
    than `min_sentences`. `cut_lines`: more than `max_cut_lines` of the lines would be cut. The
    first broken rule is the reason.

    For instruction data `lorem_ipsum`, `bad_word` and notices make sense; the curly bracket does
    not where there is code, JSON or LaTeX, nor does `min_sentences` for short answers, nor any rule
    on lines for code, tables and lists: set `min_sentences: 0`, `curly_brackets: true`.

    Marks of citations as in Wikipedia do not count. Two of the rules on lines are in the authors'
    code only: the one on long words, and that on cookies and policies. C4 also wants English with a
    probability of 0.99 (`language`) and drops spans of three sentences that stand elsewhere, which
    is not done here. A blank text is not judged. Evidence is the value that broke the rule.

    Source: Raffel et al., "Exploring the Limits of Transfer Learning with a Unified Text-to-Text
    Transformer" (JMLR 21, 2020), section 2.2.
    """

    name: ClassVar[str] = "c4"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (
        "lorem_ipsum",
        "curly_bracket",
        "bad_word",
        "too_few_sentences",
        "cut_lines",
        "nothing_to_judge",
    )

    of: Of = "reply"
    """Which text: the `reply`, the `instruction`, or `all` messages."""
    min_sentences: int = Field(3, ge=0)
    """Fewest sentences in the lines that stay; an earlier version of the paper has 5."""
    min_line_words: int = Field(5, ge=0)
    """Fewest words of a line that stays; an earlier version of the paper has 3."""
    max_word_length: int = Field(1000, ge=1)
    """Most characters of a word in a line that stays."""
    max_cut_lines: float = Field(1.0, ge=0, le=1)
    """Greatest share of the lines that may be cut; C4 itself knows no such limit."""
    curly_brackets: bool = False
    """Whether curly brackets may be there."""
    bad_words: RecipeFile | None = None
    """A text file beside the recipe: words or phrases that must not be there, one a line."""

    @cached_property
    def _bad(self) -> re.Pattern[str] | None:
        if self.bad_words is None:
            return None
        lines = self.bad_words.read_text("utf-8-sig").casefold().splitlines()
        phrases = "|".join(re.escape(line.strip()) for line in lines if line.strip())
        return re.compile(rf"(?<!\w)(?:{phrases})(?!\w)") if phrases else None

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(text_of(record, self.of)) for record in records]

    def _verdict(self, text: str | None) -> Verdict:
        if text is None or not text.strip():
            return nothing_to_judge(self.of)
        return self._forbidden(text) or judged(self._rules(text))

    def _forbidden(self, text: str) -> Verdict | None:
        if "lorem ipsum" in text.lower():
            return Verdict.failed("lorem_ipsum", "it holds the words of a typesetter's filler")
        if not self.curly_brackets and "{" in text:
            return Verdict.failed("curly_bracket", "it holds a curly bracket: code, not prose")
        if self._bad and (found := self._bad.search(text.casefold())):
            return Verdict.failed("bad_word", f"it holds {found[0]!r}, which is in `bad_words`")
        return None

    def _rules(self, text: str) -> Iterator[Rule]:
        lines = [stripped for line in text.splitlines() if (stripped := line.strip())]
        kept = [line for line in lines if self._stays(line)]
        if self.min_sentences:
            sentences, least = sum(map(sentences_in, kept)), self.min_sentences
            yield Rule("too_few_sentences", "sentences that stay", sentences, least, None)
        cut = 1 - len(kept) / len(lines)
        yield Rule("cut_lines", "share of lines that are cut", cut, None, self.max_cut_lines)

    def _stays(self, line: str) -> bool:
        found = line.split()
        if len(found) < self.min_line_words or max(map(len, found)) > self.max_word_length:
            return False
        ended = _CITATION.sub("", line).rstrip() if line.endswith("]") else line
        if not ended.endswith(_TERMINAL) or ended.endswith("..."):
            return False
        return _NOTICE.search(line.lower()) is None
