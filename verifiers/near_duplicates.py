"""Texts that nearly repeat an earlier one: the first is kept."""
# datasketch publishes no types.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

from array import array
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, ClassVar, NamedTuple

from pydantic import Field, PrivateAttr

from synth import Record, Verdict, Verifier

from .text_of import Of, nothing_to_judge, text_of
from .words import words

_WANTED_RECALL = 0.999


class NearDuplicates(Verifier):
    """The text is not nearly the same as that of an earlier record which was kept.

    Two texts are near duplicates when the Jaccard similarity of their sets of word n-grams is at
    least `threshold`. Case and punctuation do not count; a Chinese or Japanese character is a word;
    a text of fewer than `ngram` words is compared whole, a text without words character by
    character as it stands. The first of a group is kept; later ones are compared with what was
    kept, not with what was dropped. So the result depends on the order of the records, and on
    nothing else.

    Candidates come from MinHash with banding (Broder, "On the resemblance and containment of
    documents", SEQUENCES 1997; Leskovec et al., *Mining of Massive Datasets*, section 3.4); each is
    then compared exactly, so nothing that is less similar is ever dropped. A pair just at the
    threshold is found with a probability of at least 0.999 where `permutations` allow (0.8 and 128:
    0.99995), a closer pair more surely. Memory is about 8 bytes a word and 4 bytes a permutation
    for each kept text, plus the index.

    Evidence is the id of the earlier record, `of`, and the similarity (0 to 1); the score of a near
    duplicate is that similarity. Texts with the same meaning in other words are not found.
    """

    name: ClassVar[str] = "near_duplicates"
    version: ClassVar[str] = "1"
    in_order: ClassVar[bool] = True
    reasons: ClassVar[tuple[str, ...]] = ("near_duplicate", "nothing_to_judge")

    of: Of = "instruction"
    """Which text: the `instruction`, the `reply`, or `all` messages."""
    threshold: float = Field(0.8, gt=0, le=1)
    """From this Jaccard similarity on, a text is a duplicate; 1: only with the same n-grams."""
    permutations: int = Field(128, ge=16, le=1024)
    """Length of a MinHash: more find near pairs more surely, and cost time and memory."""
    ngram: int = Field(5, ge=1)
    """Words in an n-gram."""

    _kept: _Kept | None = PrivateAttr(None)

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record, given all that this very object judged before."""
        if self._kept is None:
            self._kept = _Kept(self.threshold, self.permutations)
        return [self._verdict(record, self._kept) for record in records]

    def _verdict(self, record: Record, kept: _Kept) -> Verdict:
        text = text_of(record, self.of)
        if text is None or not text.strip():
            return nothing_to_judge(self.of)
        grams = hashed_ngrams(text, self.ngram)
        nearest = kept.nearest_or_keep(record.id, grams)
        if nearest is None:
            return Verdict.passed()
        similarity = round(nearest.similarity, 4)
        return Verdict.failed(
            "near_duplicate",
            f"{similarity:.2f} similar to the earlier record {nearest.id}, at most "
            f"{self.threshold:.2f} is let pass",
            score=similarity,
            evidence={"of": nearest.id, "similarity": similarity},
        )


class _Near(NamedTuple):
    similarity: float
    id: str


class _Kept:
    """The texts kept so far: ids, n-grams for the exact comparison, MinHashes in bands."""

    def __init__(self, threshold: float, permutations: int) -> None:
        from datasketch import MinHash, MinHashLSH

        bands = bands_for(threshold, permutations)
        self._threshold = threshold
        self._empty = MinHash(num_perm=permutations, seed=1, hashfunc=_low_32_bits)
        self._index: Any = MinHashLSH(num_perm=permutations, params=bands)
        self._ids: list[str] = []
        self._grams: list[array[int]] = []

    def nearest_or_keep(self, record_id: str, grams: set[int]) -> _Near | None:
        """Return the most similar kept text, if one is similar enough; otherwise keep this one."""
        minhash = self._empty.copy()
        minhash.update_batch(grams)
        nearest = self._nearest(minhash, grams)
        if nearest is None:
            # Keys are numbers: the order of a set of strings would change from process to process.
            self._index.insert(len(self._ids), minhash)
            self._ids.append(record_id)
            self._grams.append(array("Q", grams))
        return nearest

    def _nearest(self, minhash: Any, grams: set[int]) -> _Near | None:
        found: _Near | None = None
        for number in sorted(self._index.query(minhash)):
            similarity = jaccard(grams, self._grams[number])
            if similarity >= self._threshold and (not found or similarity > found.similarity):
                found = _Near(similarity, self._ids[number])
        return found


def bands_for(threshold: float, permutations: int) -> tuple[int, int]:
    """Return bands, and rows a band: the most selective that still find 999 of 1,000 pairs.

    A pair of similarity s meets in one of b bands of r rows with probability 1 - (1 - s^r)^b. There
    are at least two bands, and at least one row, even if fewer pairs are then found.
    """
    for rows in range(permutations // 2, 1, -1):
        bands = permutations // rows
        if 1 - (1 - threshold**rows) ** bands >= _WANTED_RECALL:
            return bands, rows
    return permutations, 1


def hashed_ngrams(text: str, n: int) -> set[int]:
    """Return 64-bit hashes of the text's word n-grams, the same in every process; never empty."""
    found = words(text)
    if len(found) < n:
        return {_hash(" ".join(found) or text.strip())}
    return {_hash(" ".join(found[start : start + n])) for start in range(len(found) - n + 1)}


def jaccard(grams: set[int], others: Sequence[int]) -> float:
    """Return shared over all, 0 to 1; both are without repetition."""
    shared = len(grams.intersection(others))
    return shared / (len(grams) + len(others) - shared)


def _hash(text: str) -> int:
    hashed = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8)
    return int.from_bytes(hashed.digest(), "little")


def _low_32_bits(number: int) -> int:
    return number & 0xFFFF_FFFF
