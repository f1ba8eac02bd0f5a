"""Choose which part of a set is worth training on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar

from pydantic import model_validator

from synth.services import Services
from synth.stage import Chosen, Stage
from synth.stages.parts.choosing import Quota, Random, Tags, Threshold, Top, Way
from synth.stages.parts.choosing_by_vectors import Deita, FacilityLocation, KMeans

if TYPE_CHECKING:
    from synth.store.rows import Rows


class Select(Stage):
    """Keep what one of these ways chooses of the whole set; several such stages may follow.

    What is not chosen is dropped with its rank and score: `outranked`, `not_scored`, `too_low`,
    `too_high`, `not_drawn`, `group_full`, `too_near` (and to which record), `enough`, `covered`,
    `no_tags`, `no_quota`, `cluster_full`, `outside_band`.

    Only columns are held in memory, not the records: a million rows are no trouble, but for
    embeddings (1.5 kB a row, and the time of making them).
    """

    name: ClassVar[str] = "select"
    chooses: ClassVar[bool] = True

    top: Top | None = None
    """The best by a score."""
    threshold: Threshold | None = None
    """All within bounds of a score."""
    random: Random | None = None
    """Some at random."""
    quota: Quota | None = None
    """So many of each domain or tag."""
    tags: Tags | None = None
    """InsTag: many tags first, and all of them."""
    deita: Deita | None = None
    """DEITA: by score, and none too near to another."""
    facility_location: FacilityLocation | None = None
    """Those that the others are near to."""
    k_means: KMeans | None = None
    """Some of each cluster."""

    @model_validator(mode="after")
    def _one_way(self) -> Select:
        ways = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(ways) != 1:
            known = ", ".join(type(self).model_fields)
            found = " and ".join(ways) or "none"
            leave = f"; `{ways[-1]}: null` leaves one out" if ways else ""
            raise ValueError(f"wants one way to choose ({known}), got {found}{leave}")
        return self

    @property
    def way(self) -> Way:
        """The way that the recipe names."""
        found = (getattr(self, name) for name in type(self).model_fields)
        return next(way for way in found if way is not None)

    def ready(self) -> None:
        """Raise PluginError if a package is missing."""
        self.way.ready()

    async def choose(self, rows: Rows, services: Services) -> Chosen:
        """Return which records stay."""
        choice = await asyncio.to_thread(self.way.chosen, rows, services.seed)
        ids = rows.ids()
        return lambda number: choice.reason(number, lambda other: str(ids[other]))
