"""What leaves a run: Parquet that trainers read, a card, and a note of where it all came from.

A dataset is a query over the run's database. A new kind is one module with a function
`dataset(connection, options)`, its options in `recipe.Export`, and one line in `_kinds`.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synth.errors import StorageError
from synth.recipe import Recipe

if TYPE_CHECKING:
    from synth.export.dataset import Dataset

FOLDER = "export"
_PROVENANCE = "provenance.json"


def _kinds() -> Mapping[str, Callable[[Any, Any], Dataset]]:
    """Return what makes each dataset; the first that has rows is what `load_dataset` opens."""
    from synth.export import dpo, sft

    return {"sft": sft.dataset, "dpo": dpo.dataset}


def write(folder: Path, recipe: Recipe) -> dict[str, dict[str, int]]:
    """Make `<folder>/export` anew and return the rows of each dataset and split.

    It is whole or absent; the old one stands until the new one is written. The same run gives the
    same bytes. Raises RunError where there is no database, StorageError when the disk is full.
    """
    from synth.store import database

    part, old = folder / f"{FOLDER}.part", folder / f"{FOLDER}.old"
    try:
        counts = database.within_memory(partial(_write_all, folder, recipe, part))
        _discard(old)
        if (folder / FOLDER).exists():
            (folder / FOLDER).rename(old)
        part.rename(folder / FOLDER)
    except (OSError, database.Error) as error:
        said = getattr(error, "strerror", None) or error
        raise StorageError(
            f"cannot write the datasets: {said}. Is the disk full? `synth export` tries again"
        ) from error
    finally:
        _discard(part, old)
    return counts


def _discard(*folders: Path) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _write_all(run: Path, recipe: Recipe, part: Path, limit: str) -> dict[str, dict[str, int]]:
    from synth.export import card, parquet, provenance
    from synth.store import database

    _discard(part)
    with database.connect(run, memory_limit=limit) as connection:
        part.mkdir()
        made: list[card.Made] = []
        for name, kind in _kinds().items():
            options = getattr(recipe.export, name)
            if options is not None:
                found = kind(connection, options)
                made.append(card.Made(name, found, tuple(parquet.write(found, part, name))))
        told = provenance.of(connection, recipe, made)
        (part / "README.md").write_text(
            card.text(connection, recipe, made=made, told=told), "utf-8"
        )
    (part / _PROVENANCE).write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    return _counts(told)


def counts(folder: Path) -> dict[str, dict[str, int]]:
    """Return the rows of each dataset and split of what was exported. Raises StorageError."""
    try:
        return _counts(json.loads((folder / FOLDER / _PROVENANCE).read_text("utf-8")))
    except (OSError, ValueError, KeyError) as error:
        raise StorageError(
            f"cannot read {FOLDER}/{_PROVENANCE}: {error}. Delete the folder {FOLDER} and run again"
        ) from error


def _counts(told: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    return {
        name: {file["split"]: file["rows"] for file in files}
        for name, files in told["datasets"].items()
    }
