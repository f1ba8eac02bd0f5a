"""Texts that nearly repeat an earlier one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, PrivateAttr

from synth import Record, Verdict, Verifier

from .text_of import Of, nothing_to_judge, text_of

if TYPE_CHECKING:
    from synth.similarity.near import Index


class NearDuplicates(Verifier):
    """The text is not nearly the same as that of any record before it.

    Two texts are near duplicates when the Jaccard similarity of their sets of word n-grams is at
    least `threshold`. By default case, punctuation and Unicode's spelling variants do not count; a
    Chinese, Japanese or Thai character is a word; a text of fewer than `ngram` words is compared
    whole, and so, as it stands, is a text without words. Each text is held against all before it,
    whatever became of those, so the result depends on the order of the records and on nothing else:
    of texts that are all near to each other the first passes.

    Candidates come from MinHash with banding (Broder, "On the resemblance and containment of
    documents", SEQUENCES 1997; Leskovec et al., *Mining of Massive Datasets*, section 3.4); each is
    then compared exactly, so nothing that is less similar ever fails. A pair just at the threshold
    is found with a probability of at least 0.999 where `permutations` allow (0.8 and 128: 0.99995),
    a closer pair more surely; among thousands of texts that are near to many, each is held against
    the first and the last eight that share a band with it.

    Memory for each text is its UTF-8, its id, and about 400 bytes (8 to 12 a band, here 25, and
    what buckets of several texts take): 1 GB for a million texts of 100 words.

    Evidence is the id of the most similar earlier record, `of`, and the similarity (0 to 1), which
    is also the score. Texts with the same meaning in other words are not found.
    """

    name: ClassVar[str] = "near_duplicates"
    version: ClassVar[str] = "3"
    in_order: ClassVar[bool] = True
    reasons: ClassVar[tuple[str, ...]] = ("near_duplicate", "nothing_to_judge")

    of: Of = "instruction"
    """Which text: the `instruction`, the `reply`, or `all` messages."""
    threshold: float = Field(0.8, gt=0, le=1)
    """From this Jaccard similarity on, a text is a duplicate; 1: only with the same n-grams."""
    permutations: int = Field(128, ge=16, le=1024)
    """Length of a MinHash: more find near pairs more surely, and cost time and memory."""
    ngram: int = Field(5, ge=1)
    """Words, or characters, in an n-gram."""
    unit: Literal["words", "characters"] = "words"
    """What an n-gram consists of; characters find words that differ a little (`ngram: 9` or so)."""
    ignore_case: bool = True
    """Whether "Paris" is "paris"."""
    ignore_punctuation: bool = True
    """Whether only words count. Otherwise each mark counts as a word: 1 + 2 is not 1 - 2."""
    normal_form: Literal["NFC", "NFKC"] | None = "NFKC"
    """Unicode's spelling that texts are brought to first: NFKC also makes full width, ligatures and
    superscripts plain; NFC joins letters and accents only; null leaves them as they are."""

    _index: Index | None = PrivateAttr(None)
    _ids: list[str] = PrivateAttr(default_factory=list[str])

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record, given all that this very object judged before."""
        texts = [text_of(record, self.of) or "" for record in records]
        worded = [place for place, text in enumerate(texts) if text.strip()]
        verdicts = [nothing_to_judge(self.of)] * len(records)
        self._ids += [records[place].id for place in worded]
        nearest = self._made().add([texts[place] for place in worded])
        found = zip(worded, nearest.earlier.tolist(), nearest.similarity.tolist(), strict=True)
        for place, earlier, similarity in found:
            verdicts[place] = self._verdict(earlier, similarity)
        return verdicts

    def _made(self) -> Index:
        if self._index is None:
            # Loaded here: numba takes half a second, and many recipes do without.
            from synth.similarity.near import Index, Options, Reading

            reading = Reading(
                ngram=self.ngram,
                unit=self.unit,
                ignore_case=self.ignore_case,
                ignore_punctuation=self.ignore_punctuation,
                normal_form=self.normal_form,
            )
            self._index = Index(Options(self.threshold, self.permutations, reading))
        return self._index

    def _verdict(self, earlier: int, similarity: float) -> Verdict:
        if earlier < 0:
            return Verdict.passed()
        similarity = round(similarity, 4)
        return Verdict.failed(
            "near_duplicate",
            f"{similarity:.2f} similar to the earlier record {self._ids[earlier]}; from "
            f"{self.threshold:.2f} on is too near",
            score=similarity,
            evidence={"of": self._ids[earlier], "similarity": similarity},
        )
