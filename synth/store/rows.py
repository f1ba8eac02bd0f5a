"""The live records of a finished stage as columns: what a stage that chooses looks at.

A million records as Python objects take gigabytes, their scores eight megabytes. So numbers and
values are read by DuckDB, straight from the stage file; texts come in batches.
"""
# duckdb and pyarrow have no complete type stubs; what they return is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

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
_FIELD = "coalesce(json_extract(fields, $at), json_extract(fields, $within))"
_NUMBER = f"""
    SELECT CASE WHEN json_type(field) IN ('BIGINT', 'UBIGINT', 'DOUBLE')
                THEN (field->>'$')::DOUBLE
                ELSE list_last(list_filter(judgements,
                     lambda given: given.label = $name OR given.verifier = $name)).score END
    FROM (SELECT {_FIELD} AS field, judgements FROM live)"""  # noqa: S608 (ours)
_NO_NUMBER = f"""
    SELECT field::VARCHAR FROM (SELECT {_FIELD} AS field FROM live)
    WHERE json_type(field) IN ('VARCHAR', 'BOOLEAN', 'OBJECT', 'ARRAY') LIMIT 1"""  # noqa: S608
_ASKED = """
    list_filter([fields->'instruction', fields->'prompt', fields->'question'],
                lambda given: json_type(given) = 'VARCHAR')[1]->>'$'"""
_JOINED = "array_to_string(list_transform({}, lambda turn: turn.content), chr(10) || chr(10))"
_BEFORE_THE_REPLY = """list_filter(turns[:if(turns[-1].role = 'assistant', -2, -1)],
    lambda turn: turn.role != 'system')"""
_LAST_OF_USER = "list_last(list_filter(turns, lambda turn: turn.role = 'user')).content"
_SAID = {
    "instruction": f"coalesce({_LAST_OF_USER}, {_ASKED}, '')",
    "prompt": f"coalesce(nullif({_JOINED.format(_BEFORE_THE_REPLY)}, ''), {_ASKED}, '')",
    "reply": "if(turns[-1].role = 'assistant', turns[-1].content, '')",
    "all": _JOINED.format("turns"),
}
_LABELS = "SELECT DISTINCT unnest(judgements).{} FROM live"
_VALUE = f"SELECT {_FIELD}->>'$' FROM live"  # noqa: S608 (ours)
_VECTORS = f"SELECT from_json({_FIELD}, '[\"DOUBLE\"]') FROM live"  # noqa: S608 (ours)
_TEXTS = f"SELECT from_json({_FIELD}, '[\"VARCHAR\"]') FROM live"  # noqa: S608 (ours)
_WITH_FIELD = f"SELECT count({_FIELD}) FROM live"  # noqa: S608 (ours)


Part = Of | Literal["prompt"]
"""Which text of a record; the `prompt` is all before the reply but system turns."""


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
        number (a text, true, 1e400) is NaN. Raises InputError, as it is a slip, if no record has
        either, or if the fields hold something, but nowhere a number.
        """
        column = self._column(_NUMBER, name=name, **_place(name))
        numbers = np.array(column.to_numpy(), dtype=np.float64)
        numbers[~np.isfinite(numbers)] = np.nan
        if len(numbers) and np.isnan(numbers).all():
            self._want_scores(name)
        return numbers

    def _want_scores(self, name: str) -> None:
        """Raise InputError if there are no verdicts of this name, and no fields for numbers."""
        labels = [*self._labels("label"), *self._labels("verifier")]
        if name in labels:
            return
        self._want_field(name, "a score", labels)
        found = self._column(_NO_NUMBER, **_place(name)).to_pylist()
        if found:
            raise InputError(
                f"the field {name!r} must hold a number; it does in no record, the first has "
                f"{found[0]:.80}. Columns of a CSV file are texts: as Parquet they are numbers "
                "(in DuckDB: COPY (FROM 'x.csv') TO 'x.parquet')"
            )

    def _want_field(self, name: str, what: str, labels: Sequence[str] = ()) -> None:
        """Raise InputError if no record has this field: a slip. `labels`: what else is known."""
        if not self.count or self._column(_WITH_FIELD, **_place(name))[0].as_py():
            return
        fields = self._column("SELECT DISTINCT unnest(json_keys(fields)) FROM live").to_pylist()
        neither = "neither a field nor a verdict" if what == "a score" else "no field"
        raise InputError(
            f"no record has {what} {name!r}: {neither} is called that. "
            f"{did_you_mean(name, sorted({*fields, *labels}))}"
        )

    def _labels(self, kind: str) -> list[str]:
        return self._column(_LABELS.format(kind)).to_pylist()

    def texts(self, of: Part) -> Any:
        """Return a text of each record as an Arrow column; empty where there is none."""
        return self._column(f"SELECT ({_SAID[of]}) FROM live")  # noqa: S608 (one of ours)

    def text_batches(self, of: Part) -> Iterator[Any]:
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

        What is no text is its JSON: 5, true, ["a"]. Raises InputError if no record has it.
        """
        self._want_field(name, "a field")
        return self._column(_VALUE, **_place(name))

    def lists(self, name: str) -> Any:
        """Return the field `name` as an Arrow column of lists of texts; null where it is none.

        Raises InputError if no record has it.
        """
        self._want_field(name, "a field")
        return self._column(_TEXTS, **_place(name))

    def vectors(self, name: str) -> Any:
        """Return the field `name`, a list of numbers, as (n, d) float32.

        Raises InputError unless every record has one, all of one length.
        """
        self._want_field(name, "a field")
        column = self._column(_VECTORS, **_place(name)).combine_chunks()
        lengths = set(pc.list_value_length(column).to_pylist())
        flat = column.flatten()
        if len(lengths) > 1 or None in lengths or flat.null_count:
            told = ["no list" if one is None else str(one) for one in lengths]
            found = ", ".join(sorted(told)[:5])
            if flat.null_count:
                found += f"; {flat.null_count} of the values are no numbers"
            raise InputError(
                f"the field {name!r} must be a list of numbers, of one length in all records; "
                f"the lengths found: {found}"
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


def _place(name: str) -> dict[str, str]:
    """Return where a field lies: under this very name, or where the dots in it lead."""
    return {"at": _pointer(name), "within": _pointer(*name.split("."))}


def _pointer(*names: str) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)
