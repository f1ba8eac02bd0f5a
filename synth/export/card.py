"""The README.md of an export: a header that the Hub and `datasets` read, and a body for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from synth.recipe import Recipe

if TYPE_CHECKING:
    from synth.export.dataset import Dataset
    from synth.export.parquet import Written

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_VERDICTS = """
SELECT stage, label, any_value(verifier) || ' ' || version AS verifier,
       count(*) FILTER (outcome = 'pass'), count(*) FILTER (outcome = 'fail'),
       count(*) FILTER (outcome = 'abstain'), count(*) FILTER (outcome = 'error')
FROM verdicts GROUP BY stage, label, version ORDER BY min(rowid)
"""
_STATES = """
SELECT state, count(*) FROM records GROUP BY state
ORDER BY list_position(['live', 'parent', 'dropped', 'held'], state)
"""
_LICENCE = """## Licence

None is declared. Before you share this, name one that the terms of the seeds and of the models
allow."""
_DROPS = "SELECT stage, drop_by, drop_kind, code, records FROM drops"


@dataclass(frozen=True, slots=True)
class Made:
    """A dataset with the files that hold it."""

    name: str
    dataset: Dataset
    files: tuple[Written, ...]


def text(connection: Any, recipe: Recipe, *, made: Sequence[Made], told: Mapping[str, Any]) -> str:
    """Return the card. `told` is what provenance.json holds."""
    header = _yaml(_header(recipe, made))
    body = "\n\n".join(
        [
            f"# {recipe.name}",
            *([recipe.description] if recipe.description else []),
            _how_to_load(made),
            _datasets(recipe, made),
            _how_it_was_made(told),
            "## What became of every record\n\n"
            + _table(("state", "records"), connection.execute(_STATES).fetchall())
            + _dropped(connection),
            _judged(connection),
            _LICENCE,
        ]
    )
    return f"---\n{header}---\n\n{body}\n"


def _yaml(value: Mapping[str, Any]) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)


def _header(recipe: Recipe, made: Sequence[Made]) -> dict[str, Any]:
    rows = sum(file.rows for one in made for file in one.files)
    filled = [one for one in made if one.files]
    return {
        "pretty_name": recipe.name,
        "license": "unknown",
        "task_categories": ["text-generation"],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "size_categories": [next((name for most, name in _SIZES if rows < most), "n>1M")],
        "tags": ["synthetic", "expertsynth", *(one.name for one in made)],
        "configs": [_config(one, default=one is filled[0]) for one in filled],
        "dataset_info": [_info(one) for one in filled],
    }


def _config(one: Made, *, default: bool) -> dict[str, Any]:
    files = [{"split": file.split, "path": file.path} for file in one.files]
    return {
        "config_name": one.name,
        **({"default": True} if default else {}),
        "data_files": files,
    }


def _info(one: Made) -> dict[str, Any]:
    return {
        "config_name": one.name,
        # Copies, for YAML writes what occurs twice as a reference, and `datasets` trips over it.
        "features": [
            {"name": name, **deepcopy(kind.card)} for name, kind in one.dataset.columns.items()
        ],
        "splits": [
            {"name": file.split, "num_bytes": file.row_bytes, "num_examples": file.rows}
            for file in one.files
        ],
        "download_size": sum(file.file_bytes for file in one.files),
        "dataset_size": sum(file.row_bytes for file in one.files),
    }


def _how_to_load(made: Sequence[Made]) -> str:
    lines = "\n".join(
        f'{one.name} = load_dataset("FOLDER", "{one.name}")' for one in made if one.files
    )
    if not lines:
        return "No record was accepted: there is nothing to load."
    return f"```python\nfrom datasets import load_dataset\n\n{lines}\n```"


def _datasets(recipe: Recipe, made: Sequence[Made]) -> str:
    rows = [(one.name, file.split, file.rows) for one in made for file in one.files]
    sentences = "\n\n".join(f"**{one.name}** {one.dataset.says}" for one in made)
    fractions = ", ".join(
        f"{one.name} {getattr(recipe.export, one.name).test_fraction:g}" for one in made
    )
    return (
        f"## What it holds\n\n{sentences}\n\n{_table(('dataset', 'split', 'rows'), rows)}\n\n"
        "Rows are split by seed family (all records made from one seed): a family is in the test "
        "split when the first 32 bits of the MD5 of its id, as a share of 2^32, are below the test "
        f"fraction ({fractions}). So no family is in both, and none changes sides when the dataset "
        "grows."
    )


def _how_it_was_made(told: Mapping[str, Any]) -> str:
    recipe = _yaml(told["recipe"]["content"])
    models = [(model["engine"], model["model"] or "(not named)") for model in told["models"]]
    asked = _table(("engine", "model"), models) if models else "No model was asked."
    return (
        f"## How it was made\n\nBy synth {told['synth']} with this recipe (digest "
        f"{told['recipe']['digest']}):\n\n~~~yaml\n{recipe}~~~\n\n{asked}"
    )


def _dropped(connection: Any) -> str:
    drops = connection.execute(_DROPS).fetchall()
    if not drops:
        return ""
    return "\n\n" + _table(("stage", "dropped or held by", "kind", "reason", "records"), drops)


def _judged(connection: Any) -> str:
    columns = ("stage", "label", "verifier", "pass", "fail", "abstain", "error")
    verdicts = connection.execute(_VERDICTS).fetchall()
    found = _table(columns, verdicts) if verdicts else "No verifier judged these records."
    return f"## What the verifiers said\n\n{found}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(_cell(value) for value in line)} |" for line in lines)


def _cell(value: Any) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ")
