"""The ways in which the stage `select` can choose, each with its own options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator, model_validator

from synth.frozen import Frozen

if TYPE_CHECKING:
    from synth.curation.choice import Choice
    from synth.store.rows import Rows

_Number = Annotated[int, Field(ge=0)]


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
    """A field with a number (a dot reaches into one), or a verifier (or its `as`) whose score
    counts."""
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

    @model_validator(mode="after")
    def _something_is_within(self) -> Threshold:
        lower = [bound for bound in (self.at_least, self.above) if bound is not None]
        upper = [bound for bound in (self.at_most, self.below) if bound is not None]
        if not lower and not upper:
            raise ValueError("wants a bound: `at_least`, `above`, `at_most` or `below`")
        if lower and upper and not self._leaves_room(max(lower), min(upper)):
            found = f"up from {max(lower):g} and down from {min(upper):g}"
            raise ValueError(f"no score is within these bounds: {found}")
        return self

    def _leaves_room(self, lower: float, upper: float) -> bool:
        return lower < upper or (lower == upper and lower != self.above and upper != self.below)

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
    caps: _Number | dict[str, _Number] | None = None
    """Most records of each value, or of those named."""

    @model_validator(mode="after")
    def _caps_of_groups(self) -> Random:
        if (self.groups is None) != (self.caps is None):
            raise ValueError("`groups` (a field) and `caps` (how many of each value) go together")
        return self

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

    @field_validator("quotas")
    @classmethod
    def _are_quotas(cls, quotas: dict[str, int | float]) -> dict[str, int | float]:
        for name, wanted in quotas.items():
            _refuse_no_quota(wanted, f"{name!r}: ")
        return quotas

    @field_validator("others")
    @classmethod
    def _is_quota(cls, others: float) -> float:
        _refuse_no_quota(others)
        return others

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


def _refuse_no_quota(wanted: float, of: str = "") -> None:
    if wanted < 0 or (isinstance(wanted, float) and wanted > 1):
        raise ValueError(
            f"{of}wants a number of records (10), or a share from 0.0 to 1.0; got {wanted}"
        )


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
