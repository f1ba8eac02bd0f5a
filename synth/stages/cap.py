"""Let at most so many records of a kind go on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

from pydantic import Field

from synth.record import Record, canonical
from synth.services import Services
from synth.stage import Stage


class Cap(Stage):
    """Pass on the first `most` records with each value of the field `by`; drop the rest.

    Records come by position, so the same ones are kept at any speed. A record beyond is dropped as
    `over_cap`. Those without the field, or with null there, are one kind too.
    """

    name: ClassVar[str] = "cap"
    batch: ClassVar[int] = 256

    by: str = "domain"
    """The field whose values are kinds."""
    most: int = Field(ge=1)
    """Most records of a kind."""
    others: dict[str, int] = Field(default_factory=dict[str, int])
    """Value of the field to another `most`; 0 lets none pass."""

    @property
    def in_order(self) -> bool:
        """Always: which are first depends on the order."""
        return True

    async def apply_batch(
        self, records: Sequence[Record], services: Services
    ) -> Sequence[Sequence[Record]]:
        """Return each record, as it is or dropped."""
        seen: Counter[str] = await services.resource(f"cap|{services.label}", Counter[str])
        return [[self._passed(record, seen, services.label)] for record in records]

    def _passed(self, record: Record, seen: Counter[str], label: str) -> Record:
        value = record.fields.get(self.by)
        most = self.others.get(value, self.most) if isinstance(value, str) else self.most
        kind = canonical(value)
        if seen[kind] >= most:
            reason = f"over_cap: {most} records with {self.by!r} {kind:.80} came before"
            return record.drop("filter", by=label, reason=reason)
        seen[kind] += 1
        return record
