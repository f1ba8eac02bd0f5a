"""Where what plugins raise and return becomes ours: a bad record is data, an outage is neither.

What breaks over one record is that record's drop. What breaks the contract of a stage ends the run,
for a record that vanished cannot be told from one that never was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from synth.errors import CallFailed, InputError, OutsideError, PluginError
from synth.record import Record

_CODED = re.compile(r"[a-z0-9_]+: ")
_LONGEST_REASON = 1000


def fatal(error: BaseException) -> OutsideError | InputError | None:
    """Return what ends the run: the error itself, or what a group of errors holds, else None."""
    if isinstance(error, OutsideError | InputError):
        return error
    found = (fatal(inner) for inner in _inside(error))
    return next((inner for inner in found if inner is not None), None)


def shown(error: BaseException) -> BaseException:
    """Return the one error to show of a group of them: what ends the run, else the first."""
    if ends_run := fatal(error):
        return ends_run
    while inside := _inside(error):
        error = inside[0]
    return error


def _inside(error: BaseException) -> tuple[BaseException, ...]:
    if isinstance(error, BaseExceptionGroup):
        return cast("BaseExceptionGroup[BaseException]", error).exceptions
    return ()


def reason(error: BaseException) -> str:
    """Return an error as `code: sentence`; one that brings a code of its own keeps it.

    At most 1,000 characters, always valid UTF-8: it becomes part of a record.
    """
    said = error.reason if isinstance(error, CallFailed) else str(error)
    if not _CODED.match(said):
        said = f"exception: {type(error).__name__}: {said}"
    if len(said) > _LONGEST_REASON:
        said = said[: _LONGEST_REASON - 1] + "…"
    return said.encode("utf-8", "replace").decode("utf-8")


def leaving(record: Record, outcomes: Sequence[Record], label: str) -> list[Record]:
    """Return the rows of what became of a record: itself, or the children behind their parent.

    Children whose fields or messages cannot be written as JSON text make it a drop instead. Raises
    PluginError if the record just vanished, or if something came from nowhere.
    """
    _check_contract(record, outcomes, label)
    for outcome in outcomes:
        if wrong := _unwritable(outcome, record):
            return [record.drop("error", by=label, reason=f"not_json: {wrong}")]
    if any(outcome.id == record.id for outcome in outcomes):
        return list(outcomes)
    return [record.as_parent(), *outcomes]


class Whole:
    """The boundary of a stage that sees all: what leaves it, held against what it was given."""

    def __init__(self, records: Sequence[Record], label: str) -> None:
        self._given = {record.id: record for record in records}
        self._known = set(self._given)
        self._roots = {record.position[:1] for record in records}
        self._parents: set[str] = set()
        self._left: set[str] = set()
        self._stage = f"the stage {label!r}"

    def leaving(self, outcomes: Sequence[Record]) -> list[Record]:
        """Return outcomes as rows. Raises PluginError for what came from nowhere, or came twice."""
        for outcome in outcomes:
            self._check(outcome)
            self._left.add(outcome.id)
            self._known.add(outcome.id)
            if outcome.id not in self._given:
                self._parents.update(outcome.parents)
        return list(outcomes)

    def _check(self, outcome: Any) -> None:
        if not isinstance(outcome, Record):
            raise PluginError(f"{self._stage} let {outcome!r} leave, wanted records")
        if outcome.id in self._left:
            raise PluginError(f"{self._stage} let the record {outcome.id} leave twice")
        if outcome.id not in self._given and not self._descends(outcome):
            raise PluginError(
                f"{self._stage} let {outcome.id} leave, which descends from nothing that it was "
                "given; make records with record.child()"
            )
        if wrong := _unwritable(outcome, None):
            raise PluginError(f"{self._stage} let {outcome.id} leave: {wrong}")

    def _descends(self, outcome: Record) -> bool:
        known = bool(outcome.parents) and self._known.issuperset(outcome.parents)
        return known and outcome.position[:1] in self._roots

    def rest(self) -> list[Record]:
        """Return the given records that did not leave, as parents.

        Raises PluginError for one that nothing descends from: it would just vanish.
        """
        rest = [record for record in self._given.values() if record.id not in self._left]
        for record in rest:
            if record.id not in self._parents:
                raise PluginError(
                    f"{self._stage} let record {record.id} vanish; it must leave as itself, as its "
                    "drop, or as a parent"
                )
        return [record.as_parent() for record in rest]


def _check_contract(record: Record, outcomes: Any, label: str) -> None:
    stage = f"the stage {label!r}"
    if not isinstance(outcomes, Sequence) or not outcomes:
        raise PluginError(
            f"{stage} let record {record.id} vanish (it gave {outcomes!r}); it must return a list "
            "with the record, its children, or its drop"
        )
    ids: set[str] = set()
    for outcome in cast("Sequence[Any]", outcomes):
        if not isinstance(outcome, Record):
            raise PluginError(
                f"{stage} returned {outcome!r} for record {record.id}, wanted a Record"
            )
        if outcome.id in ids:
            raise PluginError(f"{stage} made two records with the id {outcome.id} from {record.id}")
        ids.add(outcome.id)
        if not _descends(outcome, record):
            raise PluginError(
                f"{stage} returned {outcome.id} for record {record.id}, which is not its parent; "
                "make children with record.child()"
            )


def _descends(outcome: Record, record: Record) -> bool:
    if outcome.id == record.id:
        return outcome.position == record.position
    above = outcome.position[: len(record.position)]
    return record.id in outcome.parents and above == record.position


def _unwritable(outcome: Record, record: Record | None) -> str:
    """Return what keeps a record from being written; what it took over needs no second look."""
    if record and outcome.fields is record.fields and outcome.messages is record.messages:
        return ""
    try:
        _ = outcome.content
    except (TypeError, ValueError, RecursionError) as error:
        return f"fields and messages must be JSON: {reason(error)}"
    return ""
