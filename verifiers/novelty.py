"""Texts that are too like an earlier one, by the words that stand in the same order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from synth import RecipeFile, Record, Verdict, Verifier
from synth.similarity.words import (
    Words,
    rouge_words,
    stemmed_words,
    unicode_words,
    want_stems,
)

from .earlier_texts import texts_in
from .text_of import Of, nothing_to_judge, text_of

if TYPE_CHECKING:
    from synth.similarity.rouge_l import Neighbour


class Novelty(Verifier):
    """The text is not too like any that passed before it, or that stands in the files `against`.

    `not_novel`: its ROUGE-L F1 with one of them is above `threshold`; what equals the threshold
    passes, as in Self-Instruct. Values are those of the package rouge_score, for texts of any
    length. Only texts that pass join the pool, so the outcome depends on the order of the records,
    and on nothing else.

    Words are runs of ASCII letters and digits, so a text in another script has none and is not
    judged (`no_words`): `words: unicode` reads all scripts. A blank text is not judged either.

    Evidence of a text that fails is the first that it is too like (`of`: the id, or file and row,
    as `seeds.jsonl:12`) and the F1, which is the score, too. With `neighbours` or `average`, texts
    that pass have evidence and score, too, and the score is the highest F1, 0 for an empty pool:
    what Self-Instruct keeps as most_similar_instructions and avg_similarity_score. That takes 120
    ns for each text of the pool; without, bounds rule out nearly all of it, in 1 ns each (400 ns
    where texts have 300 words).

    Memory for each text in the pool: its id, 4 bytes a word and 48 more (some 250 bytes for 25
    words), and each word once.

    Source: Wang et al., "Self-Instruct: Aligning Language Models with Self-Generated Instructions"
    (2022), section 2.2; Lin, "ROUGE: A Package for Automatic Evaluation of Summaries" (2004).
    """

    name: ClassVar[str] = "novelty"
    version: ClassVar[str] = "2"
    in_order: ClassVar[bool] = True
    reasons: ClassVar[tuple[str, ...]] = ("not_novel", "no_words", "nothing_to_judge")

    of: Of = "instruction"
    """Which text: the `instruction`, the `reply`, or `all` messages."""
    threshold: float = Field(0.7, ge=0, le=1)
    """The highest F1 (0 to 1) that passes."""
    words: Literal["rouge", "unicode"] = "rouge"
    """What a word is. `rouge`: a run of ASCII letters and digits, without case. `unicode`: a run of
    letters and digits of any script; of one without spaces, as in Chinese or Thai, each character.
    """
    stem: bool = False
    """Whether endings count for nothing, as with rouge_score's use_stemmer; needs nltk, and
    `words: rouge`. Self-Instruct does without."""
    neighbours: int = Field(0, ge=0)
    """How many of the most similar texts the evidence tells, as `most_similar`."""
    average: bool = False
    """Whether the evidence tells the average F1 with the whole pool, as `average`."""
    against: tuple[RecipeFile, ...] = ()
    """Files beside the recipe (.jsonl, .parquet, or .txt with a text a line), whose texts are in
    the pool from the start. A row counts as a record would: its `messages`, or its columns."""

    _kept: _Kept | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        if self.stem and self.words != "rouge":
            raise ValueError("`stem: true` wants `words: rouge`: it knows English endings only")
        for file in self.against:
            if next(texts_in(file, self.of), None) is None:
                raise ValueError(f"`against` wants a file with texts; {file.name!r} has none")
        return self

    def ready(self) -> None:
        """Raise PluginError if stems are wanted and their package is missing."""
        if self.stem:
            want_stems()

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record, given all that this very object judged before."""
        if self._kept is None:
            self._kept = _Kept(self)
        verdicts = [nothing_to_judge(self.of)] * len(records)
        asked: list[tuple[int, str]] = []
        for place, record in enumerate(records):
            text = text_of(record, self.of) or ""
            if self.words_of(text):
                asked.append((place, text))
            elif text.strip():
                verdicts[place] = _no_words(self.words)
        given = self._kept.verdicts([(records[place].id, text) for place, text in asked])
        for (place, _), verdict in zip(asked, given, strict=True):
            verdicts[place] = verdict
        return verdicts

    @property
    def words_of(self) -> Words:
        """What returns the words of a text."""
        if self.words == "unicode":
            return unicode_words
        return stemmed_words if self.stem else rouge_words


class _Kept:
    """The texts that passed, and those of files, with what they are called."""

    def __init__(self, options: Novelty) -> None:
        from synth.similarity.rouge_l import Pool

        self._options = options
        self._pool = Pool(options.words_of)
        self._names: list[str] = []
        for file in options.against:
            for place, text in texts_in(file, options.of):
                self._take(place, text)

    def _take(self, name: str, text: str) -> None:
        self._pool.add(text)
        self._names.append(name)

    def verdicts(self, asked: Sequence[tuple[str, str]]) -> list[Verdict]:
        """Return one verdict for each id and text, in order; keep those that pass."""
        if self._options.neighbours or self._options.average:
            return [self._compared(*one) for one in asked]
        # One thread: other verifiers are at work in processes of their own.
        texts = [text for _, text in asked]
        found = self._pool.take_each(texts, self._options.threshold, threads=1)
        self._names += [name for (name, _), near in zip(asked, found, strict=True) if near is None]
        return [self._verdict(near) for near in found]

    def _verdict(self, near: Neighbour | None) -> Verdict:
        if near is None:
            return Verdict.passed()
        return self._too_like(near.number, near.f1, score=round(near.f1, 6))

    def _compared(self, name: str, text: str) -> Verdict:
        """Return the verdict that rests on the F1 with each text of the pool; keep what passes."""
        values = self._pool.all(text)
        told = self._told(values)
        score = round(max(values, default=0.0), 6)
        above = (number for number, f1 in enumerate(values) if f1 > self._options.threshold)
        if (number := next(above, None)) is not None:
            return self._too_like(number, values[number], score=score, told=told)
        self._take(name, text)
        return Verdict.passed(score=score, evidence=told)

    def _told(self, values: list[float]) -> dict[str, Any]:
        from synth.similarity.rouge_l import nearest

        told: dict[str, Any] = {}
        if self._options.neighbours:
            told["most_similar"] = [
                {"id": self._names[one.number], "f1": round(one.f1, 6)}
                for one in nearest(values, self._options.neighbours)
            ]
        if self._options.average and values:
            told["average"] = round(sum(values) / len(values), 6)
        return told

    def _too_like(
        self, number: int, f1: float, *, score: float, told: Mapping[str, Any] | None = None
    ) -> Verdict:
        earlier, threshold = self._names[number], self._options.threshold
        return Verdict.failed(
            "not_novel",
            f"ROUGE-L {f1:.4f} with the earlier text {earlier}; up to {threshold:g} passes",
            score=score,
            evidence={"of": earlier, "f1": round(f1, 6), **(told or {})},
        )


def _no_words(words: str) -> Verdict:
    advice = "; `words: unicode` reads all scripts" if words == "rouge" else ""
    return Verdict.abstained("no_words", f"no letters or digits that count{advice}")
