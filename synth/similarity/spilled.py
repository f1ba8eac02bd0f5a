"""Candidates by banding on disk, where tags do not fit into memory: DuckDB joins and sorts.

The pairs are those that `Buckets` makes, by the same rule: of its bucket a row meets the first
eight and the last eight before it.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synth.similarity.buckets import HEADS, Pairs

_PAIRS_AT_ONCE = 1 << 17


class Banding:
    """A database of tags, on disk until the `with` ends."""

    def __init__(self, folder: Path, memory_mb: int) -> None:
        """Write into a folder of its own in `folder`, with so many MiB for DuckDB."""
        self._folder, self._memory_mb = folder, memory_mb
        self._bands = 0
        self._open = ExitStack()

    def __enter__(self) -> Self:
        folder = self._open.enter_context(
            tempfile.TemporaryDirectory(prefix="bands-", dir=self._folder)
        )
        self._database = self._open.enter_context(
            duckdb.connect(
                str(Path(folder) / "bands.duckdb"),
                config={
                    "memory_limit": f"{self._memory_mb}MiB",
                    "temp_directory": str(Path(folder) / "spilled"),
                    "preserve_insertion_order": False,
                },
            )
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def add(self, rows: NDArray[np.int64], tags: NDArray[np.uint32]) -> None:
        """Take the tags, (bands, rows), of some rows."""
        block = pa.table({"row": rows, **{f"band_{band}": own for band, own in enumerate(tags)}})
        if not self._bands:
            self._bands = len(tags)
            self._database.register("block", block)
            self._database.execute("CREATE TABLE tags AS FROM block LIMIT 0")
            self._database.execute("CREATE TABLE pairs (later BIGINT, earlier BIGINT)")
        self._database.register("block", block)
        self._database.execute("INSERT INTO tags FROM block")

    def pairs(self) -> Iterator[Pairs]:
        """Yield each pair of rows that meet in a band, once, by later and then earlier row."""
        for band in range(self._bands):
            self._database.execute(_MEET.format(band=f"band_{band}", heads=HEADS))
        if not self._bands:
            return
        reader = self._database.sql(
            "SELECT DISTINCT later, earlier FROM pairs ORDER BY later, earlier"
        ).to_arrow_reader(_PAIRS_AT_ONCE)
        for batch in reader:
            yield Pairs(*(batch.column(side).to_numpy() for side in ("later", "earlier")))


_MEET = """
INSERT INTO pairs
WITH crowded AS (SELECT {band} AS tag FROM tags GROUP BY tag HAVING count(*) > 1),
placed AS (
    SELECT row, tag, row_number() OVER (PARTITION BY tag ORDER BY row) - 1 AS place
    FROM (SELECT row, {band} AS tag FROM tags) SEMI JOIN crowded USING (tag)
),
wanted AS (
    SELECT row, tag, unnest(list_distinct(
        range(least(place, {heads})) || range(greatest(place - {heads}, 0), place)
    )) AS place
    FROM placed
)
SELECT wanted.row, placed.row FROM wanted JOIN placed USING (tag, place)
"""
