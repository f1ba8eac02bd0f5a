"""The ways in which the stage `select` can choose, each with its own options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from synth.frozen import Frozen
from synth.record import Of
from synth.similarity.embedding import MINILM, EmbeddingModel

if TYPE_CHECKING:
    from synth.curation.choice import Choice
    from synth.store.rows import Rows

_EMBEDDED_AT_ONCE = 1024
_SEEDS = 1 << 32


class Way(Frozen):
    """One way of choosing."""

    def chosen(self, rows: Rows, seed: str) -> Choice:
        """Return the choice; `seed` is for what is drawn. Takes as long as it takes."""
        raise NotImplementedError(f"{type(self).__name__} must define chosen()")

    def ready(self) -> None:
        """Raise PluginError if a package is missing."""


class Top(Way):
    """The best by a score: so many, or a share; of all, or of each group.

    Superfiltering (Li et al., 2024) takes a share of those below 1; Cherry (Li et al., 2023), too,
    with `ties: last`.
    """

    by: str
    """A field with a number, or a verifier (or its `as`) whose score counts."""
    k: int | None = Field(default=None, ge=0)
    """Keep so many."""
    share: float | None = Field(default=None, ge=0, le=1)
    """Keep such a share, rounded down."""
    ascending: bool = False
    """Whether the lowest is best."""
    ties: Literal["first", "last"] = "first"
    """Which of equal ones goes first, by position."""
    groups: str | None = None
    """A field: `k` or `share` then holds for each of its values."""

    @model_validator(mode="after")
    def _so_many_or_such_a_share(self) -> Top:
        if (self.k is None) == (self.share is None):
            raise ValueError("say how many: either `k` or `share`")
        return self

    def chosen(self, rows: Rows, seed: str) -> Choice:
        """Return the choice; records without the score come last."""
        from synth.curation.best import top

        groups = None if self.groups is None else rows.values(self.groups)
        return top(
            rows.numbers(self.by),
            k=self.k,
            share=self.share,
            ascending=self.ascending,
            ties=self.ties,
            groups=groups,
        )


class Threshold(Way):
    """All whose score is within bounds; a record without the score is not."""

    by: str
    """A field with a number, or a verifier (or its `as`) whose score counts."""
    at_least: float | None = None
    """The score must not be lower."""
    above: float | None = None
    """The score must be higher."""
    at_most: float | None = None
    """The score must not be higher."""
    below: float | None = None
    """The score must be lower."""

    def chosen(self, rows: Rows, seed: str) -> Choice:
        """Return the choice."""
        from synth.curation.best import threshold

        return threshold(rows.numbers(self.by), **self.model_dump(exclude={"by"}))


class Random(Way):
    """Some at random, the same in every run with the same seed; by group at most so many."""

    most: int | None = Field(default=None, ge=0)
    """Keep so many; all by default."""
    groups: str | None = None
    """A field whose values have caps."""
    caps: int | dict[str, int] | None = None
    """Most records of each value, or of those named."""

    def chosen(self, rows: Rows, seed: str) -> Choice:
        """Return the choice, by the records' ids."""
        from synth.curation.drawing import random_choice

        groups = None if self.groups is None else rows.values(self.groups)
        return random_choice(rows.ids(), seed=seed, most=self.most, groups=groups, caps=self.caps)


class Quota(Way):
    """So many of each value of a field, the best first: a mix of domains or tags."""

    groups: str | None = None
    """The field."""
    tags: str | None = None
    """A field with a list of texts instead: a record counts for each, and all must have room."""
    quotas: dict[str, int | float]
    """Value to a number of records, or (with a point: 0.25, 1.0) a share."""
    by: str | None = None
    """A score: the highest are taken first; else those that come first."""
    total: int | None = Field(default=None, ge=0)
    """What shares are of; by default of the records of that value."""
    others: int | float = 0
    """What holds for values that are not named; tags that are not named do not count with 0."""

    @model_validator(mode="after")
    def _by_one_field(self) -> Quota:
        if (self.groups is None) == (self.tags is None):
            raise ValueError("say of what: either `groups` (one value) or `tags` (a list)")
        return self

    def chosen(self, rows: Rows, seed: str) -> Choice:
        """Return the choice."""
        from synth.curation.best import quota
        from synth.curation.tag_quota import tag_quota

        scores = None if self.by is None else rows.numbers(self.by)
        mixed = quota if self.tags is None else tag_quota
        column = rows.values(self.groups or "") if self.tags is None else rows.lists(self.tags)
        return mixed(column, self.quotas, scores=scores, total=self.total, others=self.others)


class Tags(Way):
    """InsTag's complexity-first diverse choice (Lu et al., 2024): many tags first, all covered."""

    tags: str = "tags"
    """A field with a list of texts."""
    most: int | None = Field(default=None, ge=0)
    """Keep so many; by default all that have tags."""

    def chosen(self, rows: Rows, seed: str) -> Choice:
        """Return the choice."""
        from synth.curation.coverage import tag_coverage

        return tag_coverage(rows.lists(self.tags), most=self.most)


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
    band: tuple[float, float] = (25, 75)
    """Between which percentiles of its cluster a score is middling."""

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
