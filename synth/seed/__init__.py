"""Seeds: from what a recipe names to records, in order.

    names ──resolve──▶ sources ──records──▶ records, numbered from 0

A name is a file or folder beside the recipe, else a shipped set, or `hub:org/name`. A file holds
rows, or is a document: one record with its text. A row or a document that cannot be used becomes a
dropped record with its place, so its loss is seen; a file without one good row is an error, and so
is a folder without one good document.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path

from synth.errors import SeedError
from synth.record import Record
from synth.seed.lookup import find, shipped
from synth.seed.parts import Count, Seed, SeedSource, checked

__all__ = ["VERSION", "SeedSource", "problems", "records", "resolve", "shipped"]


VERSION = "1"
"""Raised when the same files give other records: what a run made of them then no longer counts."""


def resolve(names: Sequence[str] | Mapping[str, int], folder: Path) -> list[SeedSource]:
    """Return the sources that a recipe in `folder` names; `{"count": N}` is N empty seeds.

    Each file is read up to its first good row. Raises SeedError that tells every name that cannot
    be used.
    """
    if isinstance(names, Mapping):
        return [SeedSource(f"count: {names['count']}", (Count(names["count"]),))]
    sources: list[SeedSource] = []
    messages: list[str] = []
    for name in names:
        try:
            sources.append(find(name, folder))
        except SeedError as error:
            messages.append(str(error))
    if messages:
        raise SeedError("\n".join(messages))
    return sources


def problems(names: Sequence[str], folder: Path) -> list[tuple[str, str]]:
    """Return each name that cannot be used, with what is wrong about it."""
    found: list[tuple[str, str]] = []
    for name in names:
        try:
            find(name, folder)
        except SeedError as error:
            found.append((name, str(error)))
    return found


def records(
    sources: Iterable[SeedSource], *, limit: int | None = None, broken: bool = False
) -> Iterator[Record]:
    """Yield the record of each row in order, numbered from 0, until `limit` good ones were yielded.

    A bad row is a dropped record of kind "error"; it has a number and does not count towards
    `limit`. So is a log that breaks off (`broken_turn`), unless `broken` lets the turns before that
    pass. Equal seeds differ in their occurrence, hence in their ids. Memory grows by some 80 bytes
    a row, for that. Raises SeedError for a file that cannot be read or has no good row.
    """
    identities = _Identities(broken=broken)
    good = 0
    for part in (part for source in sources for part in source.parts):
        if good == limit:
            return
        for record in map(identities.record, checked(part)):
            yield record
            good += record.state == "live"
            if good == limit:
                return


class _Identities:
    """Gives each seed its number, and its occurrence among equal ones."""

    def __init__(self, *, broken: bool) -> None:
        self._broken = broken
        self._numbers = count()
        self._seen: set[int] = set()
        self._repeats: Counter[int] = Counter()

    def record(self, seed: Seed) -> Record:
        fields, messages, problem = seed
        if "broken_turn" in fields and not self._broken:
            problem = problem or f"broken_turn: {fields['broken_turn']}"
        number = next(self._numbers)
        record = Record.seed(fields, messages, number=number)
        # The id of a first occurrence is a digest of the content alone, so it tells equal seeds.
        content = int(record.id, 16)
        if content in self._seen:
            self._repeats[content] += 1
            again = self._repeats[content]
            record = Record.seed(fields, messages, number=number, occurrence=again)
        else:
            self._seen.add(content)
        return record.drop("error", by="seeds", reason=problem) if problem else record
