"""The live records of a finished stage as columns: what a stage that chooses looks at.

A million records as Python objects take gigabytes, their scores eight megabytes. So numbers and
values are read by DuckDB, straight from the stage file; texts come in batches.
"""
# duckdb and pyarrow have no complete type stubs; what they return is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synth.errors import InputError, StorageError, did_you_mean
from synth.record import Of, Record
from synth.store import stage_file

_MEMORY = "512MB"
_BATCH = 1024
_TEXTS_BYTES = 16 << 20
_VIEW = """
    CREATE VIEW live AS SELECT id, fields, judgements,
           from_json(messages, '[{{"role": "VARCHAR", "content": "VARCHAR"}}]') AS turns
    FROM read_parquet('{}') WHERE state = 'live'"""
_NUMBER = """
    SELECT CASE WHEN json_type(fields, $at) IN ('BIGINT', 'UBIGINT', 'DOUBLE')
                THEN json_extract_string(fields, $at)::DOUBLE
                ELSE list_last(list_filter(judgements,
                     lambda given: given.label = $name OR given.verifier = $name)).score END
    FROM live"""
_SAID = {
    "instruction": """coalesce(
        list_last(list_filter(turns, lambda turn: turn.role = 'user')).content,
        list_filter([fields->'instruction', fields->'prompt', fields->'question'],
                    lambda given: json_type(given) = 'VARCHAR')[1]->>'$', '')""",
    "reply": "if(turns[-1].role = 'assistant', turns[-1].content, '')",
    "all": "array_to_string(list_transform(turns, lambda turn: turn.content), chr(10) || chr(10))",
}
_LABELS = "SELECT DISTINCT unnest(judgements).{} FROM live"
_VALUE = "SELECT json_extract_string(fields, $at) FROM live"
_VECTORS = "SELECT from_json(json_extract(fields, $at), '[\"DOUBLE\"]') FROM live"
_TEXTS = "SELECT from_json(json_extract(fields, $at), '[\"VARCHAR\"]') FROM live"


class Rows:
    """The live records of a stage file, by position. Raises StorageError where it is damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @cached_property
    def _database(self) -> Any:
        spilled = str(self._path.with_suffix(".duckdb.tmp"))
        limits = {"memory_limit": _MEMORY, "threads": 2, "temp_directory": spilled}
        # Rows come in the file's order, without a sort that would hold the whole column.
        ordered = {"preserve_insertion_order": True, "autoinstall_known_extensions": False}
        connected = duckdb.connect(config={**limits, **ordered})
        where = str(self._path).replace("'", "''")
        connected.execute(_VIEW.format(where))
        return connected

    def _column(self, query: str, **values: Any) -> Any:
        with self._damage_told():
            return self._database.sql(query, params=values).to_arrow_table().column(0)

    @contextmanager
    def _damage_told(self) -> Generator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise StorageError(
                f"the stage file {self._path.name} is damaged ({error}); delete it and run again"
            ) from error

    @cached_property
    def count(self) -> int:
        """How many records there are."""
        return int(self._column("SELECT count(*) FROM live")[0].as_py())

    @property
    def folder(self) -> Path:
        """Where there is room for what a choice needs on disk for a while."""
        return self._path.parent

    def ids(self) -> Any:
        """Return the id of each record, as an Arrow column of texts."""
        return self._column("SELECT id FROM live")

    def numbers(self, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the field `name`, else the score that the verifier `name` gave last; else NaN.

        A verifier goes by its own name or by what the recipe calls it (`as`). What is no finite
        number (a text, true, 1e400) is NaN. Raises InputError if no record has either: a slip.
        """
        column = self._column(_NUMBER, at=_pointer(name), name=name)
        numbers = np.array(column.to_numpy(), dtype=np.float64)
        numbers[~np.isfinite(numbers)] = np.nan
        if len(numbers) and np.isnan(numbers).all():
            self._want_known(name)
        return numbers

    def _want_known(self, name: str) -> None:
        """Raise InputError if no record has a field or a verdict of this name."""
        known = [
            *self._column("SELECT DISTINCT unnest(json_keys(fields)) FROM live").to_pylist(),
            *self._column(_LABELS.format("label")).to_pylist(),
            *self._column(_LABELS.format("verifier")).to_pylist(),
        ]
        if name not in known:
            raise InputError(
                f"no record has a score {name!r}: neither a field nor a verdict is called that. "
                f"{did_you_mean(name, sorted(set(known)))}"
            )

    def texts(self, of: Of) -> Any:
        """Return a text of each record as an Arrow column; empty where there is none."""
        return self._column(f"SELECT ({_SAID[of]}) FROM live")  # noqa: S608 (one of ours)

    def text_batches(self, of: Of) -> Iterator[Any]:
        """Yield a text of each record, in Arrow arrays of some 16 MB.

        Ask for nothing else meanwhile.
        """
        some: list[Any] = []
        with self._damage_told():
            asked = self._database.sql(f"SELECT ({_SAID[of]}) FROM live")  # noqa: S608 (one of ours)
            for batch in asked.to_arrow_reader():
                some.append(batch.column(0))
                if sum(array.nbytes for array in some) >= _TEXTS_BYTES:
                    yield pa.concat_arrays(some)
                    some.clear()
        if some:
            yield pa.concat_arrays(some)

    def values(self, name: str) -> Any:
        """Return the field `name` as an Arrow column of texts; null where there is none.

        What is no text is its JSON: 5, true, ["a"].
        """
        return self._column(_VALUE, at=_pointer(name))

    def lists(self, name: str) -> Any:
        """Return the field `name` as an Arrow column of lists of texts; null where it is none."""
        return self._column(_TEXTS, at=_pointer(name))

    def vectors(self, name: str) -> Any:
        """Return the field `name`, a list of numbers, as (n, d) float32.

        Raises InputError unless every record has one, all of one length.
        """
        column = self._column(_VECTORS, at=_pointer(name)).combine_chunks()
        lengths = set(pc.list_value_length(column).to_pylist())
        flat = column.flatten()
        if len(lengths) > 1 or None in lengths or flat.null_count:
            found = f"{sorted(map(str, lengths))[:5]}, with {flat.null_count} nulls in them"
            raise InputError(
                f"the field {name!r} must be a list of numbers, of one length in all records; "
                f"found the lengths {found}"
            )
        numbers = flat.to_numpy(zero_copy_only=False).astype(np.float32)
        return numbers.reshape(len(column), max(lengths, default=1))

    def records(self) -> Iterator[list[Record]]:
        """Yield the records themselves, in batches."""
        batch: list[Record] = []
        for record in stage_file.read(self._path, state="live"):
            batch.append(record)
            if len(batch) == _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def close(self) -> None:
        """Let go of the file."""
        if "_database" in vars(self):
            self._database.close()


def _pointer(name: str) -> str:
    """Return a field's place as a JSON pointer (RFC 6901)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
