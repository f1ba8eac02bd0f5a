"""Make the open tags of a whole set alike, as #InsTag does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synth.services import Services
from synth.similarity.embedding import MINILM, EmbeddingModel
from synth.stage import Chosen, Stage

if TYPE_CHECKING:
    from synth.store.rows import Rows


class NormaliseTags(Stage):
    """Leave out rare tags and merge those that say the same, over the whole set.

    Tags that models make up are many and say little: "coding", "Coding" and "code writing". In four
    steps, over the lists of all records: tags in fewer than `alpha` records go; spellings are
    merged (case, special characters, endings of English words); then meanings, by embeddings; then
    tags that hardly ever stand without a certain other one. The record goes on with its new list,
    which may be empty, in the place of the old one; one without a list goes on as it is.

    The numbers published are for 306,000 records and thousands of tags: lower `alpha` and `support`
    for fewer. In memory are all distinct tags, and which of them each record has.

    Method: Lu et al., "#InsTag: Instruction Tagging for Analyzing Supervised Fine-tuning of Large
    Language Models" (2023), section 3.2. There meanings come from PhraseBERT.
    """

    name: ClassVar[str] = "normalise_tags"
    chooses: ClassVar[bool] = True

    tags: str = "tags"
    """The field with a list of texts."""
    alpha: int = Field(default=20, ge=1)
    """Leave out a tag that fewer records have."""
    stem: bool = True
    """Whether the endings of words do not count."""
    embedding: EmbeddingModel | None = MINILM
    """`minilm`, `static`, `model2vec:…` or `sentence-transformers:…`; null leaves meanings out."""
    distance: float = Field(default=0.05, ge=0, le=2)
    """Up to this cosine distance two tags mean the same."""
    support: int = Field(default=40, ge=1)
    """In so many records at least two tags must stand together for one to become the other."""
    confidence: float = Field(default=0.99, gt=0, le=1)
    """In such a share of its records at least a tag must have the other beside it."""

    def ready(self) -> None:
        """Raise PluginError if the embedding's package is missing."""
        if self.embedding is not None:
            self.embedding.ready()

    async def choose(self, rows: Rows, services: Services) -> Chosen:
        """Return the new tags of each record; all stay."""
        return await asyncio.to_thread(self._chosen, rows)

    def _chosen(self, rows: Rows) -> Chosen:
        from synth.curation.groups import tagged
        from synth.curation.tags import Rules, normalised
        from synth.similarity.stems import stem

        column = rows.lists(self.tags)
        rules = Rules(self.alpha, self.distance, self.support, self.confidence)
        embed = None if self.embedding is None else self.embedding.embed
        made = normalised(
            tagged(column).listed(), stem=stem if self.stem else None, embed=embed, rules=rules
        )
        absent = column.is_null().to_pylist()
        return lambda number: "" if absent[number] else {self.tags: list(made.rows[number])}
