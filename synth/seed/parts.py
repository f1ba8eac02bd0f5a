"""What seeds are read from: each part of a source gives seeds in order, bad rows marked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from synth.errors import SeedError
from synth.record import JsonObject, Message, digest, whole_text
from synth.seed.shapes import shaped
from synth.seed.values import RowError
from synth.store.text_rows import RAW_CHARACTERS, Row


class Seed(NamedTuple):
    """What a row gives: fields and messages, or the problem that makes it unusable."""

    fields: JsonObject
    messages: tuple[Message, ...] = ()
    problem: str = ""
    """A stable code, a colon, the place and a sentence; empty for a good seed."""


class Part(Protocol):
    """What a source reads as one: a file, a split, a count."""

    @property
    def shown(self) -> str:
        """The part as the recipe names it, never an absolute path."""
        ...

    def fingerprint(self) -> str:
        """Return a digest of all that decides which seeds come out."""
        ...

    def seeds(self) -> Iterator[Seed]:
        """Yield the seeds in order, bad rows included."""
        ...


@dataclass(frozen=True, slots=True)
class SeedSource:
    """One entry of a recipe's `seeds`, found."""

    name: str
    """As the recipe writes it."""
    parts: tuple[Part, ...]
    """Its files in order of their names, or the one thing that it is."""
    at_hand: bool = True
    """Whether it can be read without asking the Hub."""

    def fingerprint(self) -> str:
        """Return 16 hexadecimal digits for the content of everything the source reads.

        Files are read in chunks. Of a dataset on the Hub it is the name and the revision, which
        asks the Hub: raises OutsideError if that cannot be reached and nothing is cached.
        """
        return digest("source", *(part.fingerprint() for part in self.parts))


def checked(part: Part) -> Iterator[Seed]:
    """Yield the seeds of a part. Raises SeedError if it cannot be read or had no good one."""
    good = False
    first_problem = ""
    try:
        for seed in part.seeds():
            good = good or not seed.problem
            first_problem = first_problem or seed.problem
            yield seed
    except OSError as error:
        inside = Path(error.filename).name if isinstance(error.filename, str) else ""
        what = repr(part.shown) if inside in part.shown else f"{inside!r} in {part.shown!r}"
        raise SeedError(f"could not read {what}: {error.strerror or error}") from error
    if not good:
        found = first_problem or "there are none"
        raise SeedError(f"wanted rows to start from in {part.shown!r}, found no good one: {found}")


@dataclass(frozen=True, slots=True)
class Count:
    """Seeds without content, for a stage that needs only to be started."""

    number: int

    @property
    def shown(self) -> str:
        """The count, as a recipe would spell it."""
        return f"count: {self.number}"

    def fingerprint(self) -> str:
        """Return a digest of the number."""
        return digest("count", str(self.number))

    def seeds(self) -> Iterator[Seed]:
        """Yield that many empty seeds."""
        return repeat(Seed({}), self.number)


@dataclass(frozen=True, slots=True)
class Rows:
    """Seeds made of rows."""

    shown: str
    read: Callable[[], Iterator[Row]]
    fingerprint: Callable[[], str]

    def seeds(self) -> Iterator[Seed]:
        """Yield a seed for each row."""
        return map(_seed, self.read())


def _seed(row: Row) -> Seed:
    if row.problem:
        return _unusable(row, row.problem, row.raw)
    try:
        return Seed(*shaped(row.value))
    except RowError as error:
        return _unusable(row, str(error), _as_text(row.value))


def _unusable(row: Row, problem: str, raw: str) -> Seed:
    code, _, sentence = problem.partition(": ")
    fields: JsonObject = {"raw": whole_text(raw), "file": row.file}
    place = row.file
    if row.number:
        fields[row.unit] = row.number
        place = f"{row.file} {row.unit} {row.number}"
    return Seed(fields, (), f"{code}: {place}: {whole_text(sentence)}")


def _as_text(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, default=repr, skipkeys=True)
    except RecursionError:
        return ""
    return text[:RAW_CHARACTERS]
