"""A dataset in place of a recipe's seeds: named from anywhere, and of the form that is wanted.

A recipe that only judges and chooses can give nothing but what the rows bring. Were they of
another form, each would be dropped by itself, with a run's worth of time; so the first ones are
looked at before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from synth import seed
from synth.errors import InputError
from synth.record import Record
from synth.run.plan import Plan, plan
from synth.stages.cap import Cap
from synth.stages.deduplicate import Deduplicate
from synth.stages.embed import Embed
from synth.stages.normalise_tags import NormaliseTags
from synth.stages.preferences import Preferences, no_pair
from synth.stages.select import Select
from synth.stages.tag import Tag
from synth.stages.verify import Verify

_LOOKED_AT = 100
_COLUMNS_TOLD = 12
_WRITE_NOTHING = (Cap, Deduplicate, Embed, NormaliseTags, Select, Tag, Verify)
"""Stages that give no record a reply."""


@dataclass(frozen=True, slots=True)
class _Form:
    """What rows must bring."""

    wanted: str
    has: Callable[[Record], bool]
    recipe: str
    """The shipped recipe that takes it."""


_REPLIES = _Form(
    "a reply in each row: `messages` or `conversations`, `instruction` with `output` or "
    "`response`, `prompt` with `completion` or `response`",
    lambda row: bool(row.reply.strip()),
    "curate_sft",
)
_PAIRS = _Form(
    "two replies to compare in each row, as `chosen` and `rejected`, and a `prompt` unless both "
    "are whole conversations",
    lambda row: not no_pair(row),
    "curate_dpo",
)


def planned(file: str, recipe: str, *, changes: dict[str, str]) -> Plan:
    """Return what a recipe would do with a dataset: a file or folder, `folder#split`, `hub:…`.

    Raises InputError if it cannot be read, or if none of its first 100 rows has what the recipe
    needs and cannot make.
    """
    if any(name.partition(".")[0] == "seeds" for name in changes):
        raise InputError(f"{file!r} takes the place of the seeds; leave out `--set seeds`")
    name = _named(file)
    seed.resolve([name], Path())
    seeds = yaml.safe_dump([name], default_flow_style=True, width=float("inf")).strip()
    made = plan(recipe, changes={**changes, "seeds": seeds})
    _refuse_other_forms(made, file)
    return made


def _named(file: str) -> str:
    """Return a dataset's name as it holds in any folder."""
    before, _, split = file.rpartition("#")
    there = Path(file).exists() or (split and before and Path(before).exists())
    return str(Path(file).resolve()) if there else file


def _refuse_other_forms(made: Plan, file: str) -> None:
    form = _needed(made)
    if form is None or not made.seeds[0].at_hand:
        return
    records = seed.records(made.seeds, limit=_LOOKED_AT, broken=made.takes_broken)
    rows = [row for row in records if row.state == "live"]
    if not any(form.has(row) for row in rows):
        raise InputError(
            f"wanted {form.wanted}; looked at {len(rows)} of {file!r} and found none with that. "
            f"The first has {_described(rows[0])}. {_remedy(rows, form)}"
        )


def _needed(made: Plan) -> _Form | None:
    """Return what the rows must bring, or None if the recipe may make it itself."""
    stages = [step.stage for step in made.steps]
    if isinstance(stages[0], Preferences):
        return _PAIRS
    exported = made.recipe.export.sft or made.recipe.export.dpo
    return _REPLIES if exported and all(isinstance(one, _WRITE_NOTHING) for one in stages) else None


def _described(row: Record) -> str:
    names = [repr(name) for name in row.fields]
    columns = ", ".join(names[:_COLUMNS_TOLD]) + (" …" if len(names) > _COLUMNS_TOLD else "")
    told = [f"the columns {columns}"] if names else []
    if row.messages:
        told.insert(
            0, f"turns of {', '.join(dict.fromkeys(turn['role'] for turn in row.messages))}"
        )
    return " and ".join(told)


def _remedy(rows: Sequence[Record], form: _Form) -> str:
    other = _PAIRS if form is _REPLIES else _REPLIES
    if any(other.has(row) for row in rows):
        return f"`--recipe {other.recipe}` takes such rows"
    if rows[0].messages and not rows[0].fields:
        return "A recipe with the stage `respond` writes replies"
    return "Rename the columns (the README of the recipe `curate_sft` shows how)"
