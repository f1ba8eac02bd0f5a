"""Replies that a model could not end: loops, and texts cut off in the middle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from synth import Record, Verdict, Verifier

from . import markdown
from .endings import broken_off
from .repeats import repeated_share
from .text_of import Of, nothing_to_judge, text_of
from .words import words

_PROBE = 24
_LONGEST_PERIOD = 4000


class Repetition(Verifier):
    """The text does not loop, does not repeat itself all over, and does not stop in mid-sentence.

    `loop`: the end of the text is one and the same piece of at most 4,000 characters, at least
    `copies` times in a row and together at least `shortest_loop` long; the last copy may be cut.

    `repeated_ngrams`: the share of the prose that stands in word n-grams which stood there before
    is above `max_repeated`. Counted in characters of words, each once, first occurrences not at
    all, which is the measure of Rae et al., "Scaling Language Models" (Gopher, 2021), appendix A.1,
    applied to one n-gram size. Their limits (0.10 for 10-grams) are meant for web pages; replies
    repeat themselves for good reasons (refrains, drills), so ours is higher. Case and punctuation
    do not count, and a Chinese or Japanese character is a word. Fenced code and table rows repeat
    by nature and are left out.

    `truncated`: the text does not end as finished text does (see `broken_off` for what counts); for
    other scripts than Latin, Greek, Cyrillic, Arabic, Devanagari, Ethiopic, Armenian, Chinese and
    Japanese set `complete: false`.

    A blank text is not judged; `length` with `min_words: 1` rejects it. What was asked for is not
    read: a reply that repeats a line a hundred times because it should is still a loop. Evidence of
    a pass or of `repeated_ngrams` is the share, `repeated` (0 to 1).
    """

    name: ClassVar[str] = "repetition"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (
        "loop",
        "repeated_ngrams",
        "truncated",
        "nothing_to_judge",
    )

    of: Of = "reply"
    """Which text: the `reply`, the `instruction`, or `all` messages."""
    copies: int = Field(5, ge=2)
    """So many times in a row at the end is a loop."""
    shortest_loop: int = Field(80, ge=1)
    """A loop or a whole text shorter than this, in characters, is let pass: `ha ha ha ha`."""
    ngram: int = Field(10, ge=1)
    """Words in an n-gram."""
    max_repeated: float = Field(0.4, ge=0, le=1)
    """Largest share of the prose that may be repeated n-grams; 1 turns the rule off."""
    complete: bool = True
    """Whether the text must end as finished text does."""
    short_words: int = Field(5, ge=0)
    """A text or a last line of at most so many words needs no full stop: `Paris`, `x = 5`."""

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(text_of(record, self.of)) for record in records]

    def _verdict(self, text: str | None) -> Verdict:
        if text is None or not text.strip():
            return nothing_to_judge(self.of)
        if unit := looping_end(text, copies=self.copies, characters=self.shortest_loop):
            said = f"the text ends with {unit[:60].strip()!r} again and again"
            return Verdict.failed("loop", said, evidence={"unit": unit[:200]})
        prose = words(markdown.split(text).prose)
        repeated = round(repeated_share(prose, self.ngram), 4)
        if repeated > self.max_repeated and len(text) >= self.shortest_loop:
            said = (
                f"{repeated:.0%} of the prose is in {self.ngram}-grams that stood there before, "
                f"at most {self.max_repeated:.0%} may be"
            )
            return Verdict.failed("repeated_ngrams", said, evidence={"repeated": repeated})
        if self.complete and (how := broken_off(text, short_words=self.short_words)):
            return Verdict.failed("truncated", how)
        return Verdict.passed(evidence={"repeated": repeated})


def looping_end(text: str, *, copies: int, characters: int) -> str:
    """Return the piece that `text` ends with `copies` times or more, or "".

    Takes time that does not grow with the text: only the end is read.
    """
    text = text.rstrip()
    # The end of a loop stood there before, one period earlier: only such places need a closer look.
    probe = text[-max(1, min(_PROBE, characters // 4)) :]
    end = len(text)
    at = end - len(probe)
    while (at := text.rfind(probe, max(0, end - _LONGEST_PERIOD), at + len(probe) - 1)) >= 0:
        period = end - len(probe) - at
        unit = text[-period:]
        # Between copies may stand a line break that the first copy does not have before it.
        span = max(period * copies - (period - len(unit.strip())), characters)
        if span <= end and text[-span:-period] == text[-span + period :]:
            return unit
    return ""
