"""What a run has done so far, in numbers: the command line draws it, nothing depends on it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from synth.engine.cached import Tally
from synth.engine.patient import PatientEngine
from synth.record import Record


@dataclass(slots=True)
class StageProgress:
    """Counts of one stage."""

    label: str
    skipped: bool = False
    """Whether its finished file was taken as it is."""
    offered: int = 0
    """Records that the stages before have given it so far."""
    taken: int = 0
    """Records that came in."""
    done: int = 0
    """Records that came in and left, one way or another."""
    live: int = 0
    """Records that left to the next stage."""
    dropped: Counter[str] = field(default_factory=Counter[str])
    """Records dropped or held, by who did it and the reason's code: `length too_short`."""
    errors: int = 0
    """Of those, how many because something broke."""
    finished: bool = False
    started_at: float | None = None
    seconds: float = 0.0
    """From its first record to its last."""

    def took(self, count: int) -> None:
        """Note that records came in."""
        if self.started_at is None:
            self.started_at = time.monotonic()
        self.taken += count

    def left(self, record: Record) -> None:
        """Note what became of one record."""
        if record.dropped:
            code = record.dropped.reason.partition(":")[0]
            self.dropped[f"{record.dropped.by} {code}"] += 1
            self.errors += record.dropped.kind == "error"
        elif record.state == "live":
            self.live += 1

    def recall(self, records: Iterable[Record], came_in: int | None) -> None:
        """Take over the counts of a finished stage; of seeds, as many came in as left."""
        for record in records:
            self.left(record)
        self.offered = self.taken = self.done = self.outcomes if came_in is None else came_in
        self.skipped = self.finished = True

    @property
    def outcomes(self) -> int:
        """Records that left, live or not; those that were replaced by children do not count."""
        return self.live + self.dropped.total()

    def finish(self) -> None:
        """Note that the stage has ended."""
        self.finished = True
        if self.started_at is not None:
            self.seconds = time.monotonic() - self.started_at


@dataclass(slots=True)
class Progress:
    """Counts of a run."""

    name: str
    stages: list[StageProgress] = field(default_factory=list[StageProgress])
    engines: Mapping[str, Tally] = field(default_factory=dict[str, Tally])
    patience: Mapping[str, PatientEngine] = field(default_factory=dict[str, PatientEngine])
    """By the same names: how many requests are out, and since when nobody was answered."""
    phase: str = "stages"
    """`stages`, then `database`, then `export`."""
    seeds_total: int | None = None
    """How many seeds there will be, once known."""
    started_at: float = field(default_factory=time.monotonic)

    @property
    def error_rate(self) -> float:
        """The largest share of what left a stage that ended in an error, from 0 to 1."""
        rates = [stage.errors / stage.outcomes for stage in self.stages if stage.outcomes]
        return max(rates, default=0.0)
