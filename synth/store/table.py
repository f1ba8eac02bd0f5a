"""Rows out of Arrow tables: Parquet files, folders of `Dataset.save_to_disk`, the Hub.

Tables are read in small batches. A batch that holds a value Python cannot hold is taken apart, so
that it costs one row.
"""
# pyarrow has no type stubs: what it returns is unknown to the type checker, in this file only.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false, reportAttributeAccessIssue=false

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from synth.errors import OutsideError, SeedError, did_you_mean
from synth.record import digest
from synth.store.text_rows import Row

_BATCH_ROWS = 1024
_BUFFER_BYTES = 1 << 20
_UNREADABLE = (pa.ArrowException, OSError)


def parquet_rows(path: Path, shown: str) -> Iterator[Row]:
    """Yield the rows of a Parquet file; a damaged one ends in a bad row."""
    # Opened here and not by pyarrow, whose errors would tell the absolute path.
    with path.open("rb") as opened:
        yield from _rows(_parquet_batches(opened), shown)


def _parquet_batches(opened: Any) -> Iterator[Any]:
    with pq.ParquetFile(opened, buffer_size=_BUFFER_BYTES) as file:
        yield from file.iter_batches(batch_size=_BATCH_ROWS)


def saved_files(folder: Path, shown: str, split: str) -> list[Path]:
    """Return the Arrow files of a split that `save_to_disk` of `datasets` wrote.

    Without `split` it is `train`, or the only one. Raises SeedError if there is no such split.
    """
    try:
        return _saved_files(folder, shown, split)
    except (KeyError, TypeError, ValueError) as error:
        raise SeedError(f"{shown!r} is no whole `datasets` folder: {error!r}") from error


def _saved_files(folder: Path, shown: str, split: str) -> list[Path]:
    whole = folder / "dataset_dict.json"
    if whole.is_file():
        splits = json.loads(whole.read_bytes())["splits"]
        folder /= _chosen_split(split, splits, shown)
        split = ""
    state = json.loads((folder / "state.json").read_bytes())
    if split:
        _chosen_split(split, [state["_split"] or "train"], shown)
    return [folder / file["filename"] for file in state["_data_files"]]


def _chosen_split(wanted: str | None, splits: Sequence[str], shown: str) -> str:
    """Return the split to read, by default `train` or the only one. Raises SeedError if none."""
    chosen = wanted or (splits[0] if len(splits) == 1 else "train")
    if chosen.partition("[")[0] not in splits:
        hint = did_you_mean(chosen, splits)
        raise SeedError(f"no split {chosen!r} in {shown!r}. {hint} Write the split after a '#'.")
    return chosen


def arrow_rows(paths: Sequence[Path], shown: str) -> Iterator[Row]:
    """Yield the rows of Arrow streams, one file after the other, as `save_to_disk` writes them."""
    return _rows(_arrow_batches(paths), shown)


def _arrow_batches(paths: Sequence[Path]) -> Iterator[Any]:
    for path in paths:
        with path.open("rb") as opened, pa.ipc.open_stream(opened) as stream:
            yield from stream


def _rows(batches: Iterable[Any], shown: str) -> Iterator[Row]:
    number = 1
    try:
        for batch in batches:
            for start in range(0, batch.num_rows, _BATCH_ROWS):
                yield from _batch_rows(batch.slice(start, _BATCH_ROWS), shown, number + start)
            number += batch.num_rows
    except _UNREADABLE as error:
        problem = f"unreadable: {_first_line(error)}; what follows is lost"
        yield Row(shown, number, problem=problem, unit="row")


def _batch_rows(batch: Any, shown: str, first: int) -> Iterator[Row]:
    try:
        values = batch.to_pylist()
    except (pa.ArrowException, ValueError, OverflowError):
        for offset in range(batch.num_rows):
            yield _row(batch.slice(offset, 1), shown, first + offset)
        return
    for number, value in enumerate(values, first):
        yield Row(shown, number, value, unit="row")


def _row(single: Any, shown: str, number: int) -> Row:
    try:
        return Row(shown, number, single.to_pylist()[0], unit="row")
    except UnicodeDecodeError as error:
        problem = f"not_utf8: a text column holds bytes that are not UTF-8 ({error.reason})"
    except (pa.ArrowException, ValueError, OverflowError) as error:
        problem = f"wrong_type: a value has no counterpart in JSON: {_first_line(error)}"
    return Row(shown, number, problem=problem, unit="row")


def _first_line(error: BaseException) -> str:
    lines = str(error).splitlines()
    return lines[0] if lines else type(error).__name__


@dataclass(frozen=True)
class HubSplit:
    """A split of a dataset on the Hub, or of its cached copy when the Hub cannot be reached."""

    shown: str
    """As a recipe names it: `hub:org/name:config#split`."""
    dataset: str
    """`org/name`."""
    config: str | None = None
    split: str | None = None
    """By default `train`, or the only one there is; may be a slice, `train[:100]`."""

    def fingerprint(self) -> str:
        """Return a digest of the name, the revision and the split. Asks the Hub."""
        builder = self._builder
        return digest("hub", self.shown, str(builder.config.name), str(builder.hash))

    def rows(self) -> Iterator[Row]:
        """Yield the rows of the split; it is downloaded once and then read in batches.

        Raises OutsideError if the Hub cannot be reached, SeedError if it has no such dataset or
        split.
        """
        table = self._prepared.with_format("arrow")
        batches = (
            batch for part in table.iter(batch_size=_BATCH_ROWS) for batch in part.to_batches()
        )
        return _rows(batches, self.shown)

    @cached_property
    def _builder(self) -> Any:
        import datasets

        return self._asked(lambda: datasets.load_dataset_builder(self.dataset, self.config))

    @cached_property
    def _prepared(self) -> Any:
        self._asked(self._builder.download_and_prepare)
        split = _chosen_split(self.split, list(self._builder.info.splits or ()), self.shown)
        return self._asked(lambda: self._builder.as_dataset(split=split))

    def _asked(self, question: Any) -> Any:
        from datasets.exceptions import DatasetNotFoundError, DatasetsError

        try:
            return question()
        except DatasetNotFoundError as error:
            raise SeedError(f"{self.shown!r}: {_first_line(error)}") from error
        except OSError as error:
            raise OutsideError(
                f"wanted the dataset {self.shown!r}, could not reach the Hub and found no copy "
                f"in its cache: {_first_line(error)}. Run again when it is reachable."
            ) from error
        except (ValueError, DatasetsError) as error:
            raise SeedError(f"{self.shown!r} cannot be read: {_first_line(error)}") from error
