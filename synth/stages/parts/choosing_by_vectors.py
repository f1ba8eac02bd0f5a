"""The ways of the stage `select` that look at embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from synth.record import Of
from synth.similarity.embedding import MINILM, EmbeddingModel
from synth.stages.parts.choosing import Way

if TYPE_CHECKING:
    from synth.curation.choice import Choice
    from synth.store.rows import Rows

_EMBEDDED_AT_ONCE = 1024
_SEEDS = 1 << 32
_Percentile = Annotated[float, Field(ge=0, le=100)]


class Embedded(Way):
    """A way that looks at the records' embeddings."""

    of: Of = "instruction"
    """Which text is embedded."""
    embedding: EmbeddingModel = MINILM
    """`minilm`, `static`, `model2vec:…` or `sentence-transformers:…`, as `semantic_duplicates` has
    them."""
    vectors: str | None = None
    """A field with a list of numbers that is taken instead."""

    def ready(self) -> None:
        """Raise PluginError if the embedding's package is missing."""
        if self.vectors is None:
            self.embedding.ready()

    def embedded(self, rows: Rows) -> Any:
        """Return (n, d) float32."""
        import numpy as np

        if self.vectors is not None:
            return rows.vectors(self.vectors)
        column = rows.texts(self.of)
        parts = [
            self.embedding.embed(_texts(column, start))
            for start in range(0, rows.count, _EMBEDDED_AT_ONCE)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)


def _texts(column: Any, start: int) -> Sequence[str]:
    return column.slice(start, _EMBEDDED_AT_ONCE).to_pylist()


class Deita(Embedded):
    """DEITA's greedy walk (Liu et al., 2024): by score, no two that are kept too near."""

    by: str
    """A field with a number, or a verifier (or its `as`) whose score counts."""
    max_cosine: float = Field(default=0.9, ge=-1, le=1)
    """A record whose cosine with a kept one is higher is left out."""
    most: int | None = Field(default=None, ge=0)
    """Keep so many: 6,000 in the paper."""
    batch: int = Field(default=1, ge=1)
    """With more than 1 as the authors' code with such a batch: a record is left out, too, for one
    of its batch that is left out itself."""

    def chosen(self, rows: Rows, seed: str) -> Choice:
        """Return the choice."""
        from synth.curation.walk import deita_walk

        return deita_walk(
            rows.numbers(self.by),
            self.embedded(rows),
            max_cosine=self.max_cosine,
            most=self.most,
            batch=self.batch,
        )


class FacilityLocation(Embedded):
    """So many that every record is near one of them; Superfiltering's second step."""

    k: int = Field(ge=0)
    """Keep so many: 1,040 of 10,400 in the paper."""

    def chosen(self, rows: Rows, seed: str) -> Choice:
        """Return the choice."""
        from synth.curation.facility import facility_location

        return facility_location(self.embedded(rows), k=self.k)


class KMeans(Embedded):
    """A few of each cluster of embeddings; Cherry's warm-up (Li et al., 2023, section 2.1).

    Clusters come from scikit-learn (the extra `classify`).
    """

    clusters: int = Field(default=100, ge=1)
    """Number of clusters."""
    per_cluster: int = Field(default=10, ge=0)
    """Keep so many of each."""
    by: str | None = None
    """A score, a perplexity there: only records of a middling one are taken."""
    band: tuple[_Percentile, _Percentile] = (25, 75)
    """Between which percentiles of its cluster a score is middling."""

    @field_validator("band")
    @classmethod
    def _goes_up(cls, band: tuple[float, float]) -> tuple[float, float]:
        if band[0] > band[1]:
            raise ValueError(f"wants the lower percentile first, got {band[0]:g} and {band[1]:g}")
        return band

    def ready(self) -> None:
        """Raise PluginError if a package is missing."""
        from synth.curation.clusters import want_scikit_learn

        super().ready()
        want_scikit_learn()

    def chosen(self, rows: Rows, seed: str) -> Choice:
        """Return the choice."""
        from synth.curation.clusters import k_means_sample

        return k_means_sample(
            self.embedded(rows),
            clusters=self.clusters,
            per_cluster=self.per_cluster,
            scores=None if self.by is None else rows.numbers(self.by),
            band=self.band,
            seed=int(seed, 16) % _SEEDS,
        )
