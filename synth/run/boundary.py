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


def _unwritable(outcome: Record, record: Record) -> str:
    """Return what keeps a record from being written; what it took over needs no second look."""
    if outcome.fields is record.fields and outcome.messages is record.messages:
        return ""
    try:
        _ = outcome.content
    except (TypeError, ValueError, RecursionError) as error:
        return f"fields and messages must be JSON: {reason(error)}"
    return ""
