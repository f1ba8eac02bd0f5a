"""Of records that nearly repeat each other keep the first, the best, or none."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from synth.record import Of
from synth.services import Services
from synth.stage import Chosen, Stage

if TYPE_CHECKING:
    from synth.store.rows import Rows


class Deduplicate(Stage):
    """Drop near-duplicates out of the whole set, as `near_duplicate`.

    Two texts are near duplicates as for the verifier `near_duplicates`, whose options these are.
    That one judges records as they come and always keeps the first; this stage waits for all, and
    can keep the best by a score, or none of those that repeat. Records that near pairs lead to are
    one group (a near b, b near c: all three).

    - `keep: first`: whoever has no near record before it stays, as with the verifier.
    - `keep: best`: of each group the record with the highest number `by`; without one it is last,
      and of equal ones the first stays.
    - `keep: none`: only records that are alone.

    A record without the text stays. A million records of 200 words take about a minute and 2 GB;
    `memory_mb` does with less, on disk.
    """

    name: ClassVar[str] = "deduplicate"
    version: ClassVar[str] = "2"
    chooses: ClassVar[bool] = True

    of: Of | Literal["prompt"] = "instruction"
    """Which text: the `instruction` (the user's last message), the `prompt` (all messages before
    the reply, without system turns), the `reply`, or `all` messages."""
    keep: Literal["first", "best", "none"] = "first"
    """Which records of a group stay."""
    by: str | None = None
    """For `best`: a field that holds a number, or a verifier (or its `as`) whose score counts."""
    threshold: float = Field(default=0.8, gt=0, le=1)
    """From this Jaccard similarity on, a text is a duplicate; 1: only with the same n-grams."""
    permutations: int = Field(default=128, ge=16, le=1024)
    """Length of a MinHash: more find near pairs more surely, and cost time and memory."""
    ngram: int = Field(default=5, ge=1)
    """Words, or characters, in an n-gram."""
    unit: Literal["words", "characters"] = "words"
    """What an n-gram consists of."""
    ignore_case: bool = True
    """Whether "Paris" is "paris"."""
    ignore_punctuation: bool = True
    """Whether only words count."""
    normal_form: Literal["NFC", "NFKC"] | None = "NFKC"
    """Unicode's spelling that texts are brought to first; null leaves them as they are."""
    memory_mb: int | None = Field(default=None, ge=64)
    """What candidates may take in memory; more goes to disk, for sets of tens of millions."""

    @model_validator(mode="after")
    def _best_by_something(self) -> Deduplicate:
        if (self.keep == "best") != (self.by is not None):
            raise ValueError("`keep: best` and `by: …` (which score) go together")
        return self

    @property
    def identity(self) -> str:
        """All options but the memory, which changes nothing."""
        return self.model_copy(update={"memory_mb": None}).model_dump_json()

    async def choose(self, rows: Rows, services: Services) -> Chosen:
        """Return which records stay."""
        return await asyncio.to_thread(self._chosen, rows)

    def _chosen(self, rows: Rows) -> Chosen:
        from synth.similarity import near

        reading = near.Reading(
            ngram=self.ngram,
            unit=self.unit,
            ignore_case=self.ignore_case,
            ignore_punctuation=self.ignore_punctuation,
            normal_form=self.normal_form,
        )
        options = near.Options(self.threshold, self.permutations, reading)
        spill = near.Spill(self.memory_mb, rows.folder) if self.memory_mb else None
        texts = near.Batches(rows.count, rows.text_batches(self.of))
        scores = None if self.by is None else rows.numbers(self.by)
        groups = near.groups(texts, options, spill=spill)
        return _Drops(rows.ids(), groups.kept(self.keep, scores), groups, self.keep)


class _Drops:
    """Why each record that does not stay is dropped."""

    def __init__(self, ids: Any, kept: Any, groups: Any, keep: str) -> None:
        self._ids, self._kept, self._groups, self._keep = ids, kept, groups, keep
        self._stays = groups.first.copy()
        """Of each group, at the place of its first record: the one that stays."""
        self._stays[groups.first[kept]] = kept.nonzero()[0]

    def __call__(self, number: int) -> str:
        if self._kept[number]:
            return ""
        earlier = int(self._groups.nearest.earlier[number])
        if self._keep == "best":
            stays = self._ids[int(self._stays[self._groups.first[number]])]
            return f"near_duplicate: {stays} of the same group has the highest score"
        if earlier < 0:
            return "near_duplicate: later records nearly repeat it, and none of them is kept"
        similarity = self._groups.nearest.similarity[number]
        return (
            f"near_duplicate: {similarity:.2f} similar to the earlier record {self._ids[earlier]}"
        )
