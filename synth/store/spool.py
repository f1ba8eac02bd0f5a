"""Rows on their way into a stage file: written as they come, read back by position."""
# pyarrow has no complete type stubs; what it returns is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false
# pyright: reportAttributeAccessIssue=false

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from synth.store.columns import integer

ROWS = 1024
"""Rows of every batch but the last."""
_IN_ORDER = [("order", "ascending"), ("id", "ascending")]
_BATCHES_HELD = 8


class Spool:
    """Batches with the columns `order` (bytes that sort as positions do) and `id`, on disk."""

    def __init__(self, path: Path, schema: Any) -> None:
        self._rows = _Batches(path, schema)
        # A column of a batch that was read keeps the whole batch in memory: what is sorted by, all
        # at once, lies in a file of its own.
        keys = pa.schema([schema.field(name) for name, _ in _IN_ORDER])
        self._keys = _Batches(path.with_name(path.name + ".keys"), keys)
        self._held: OrderedDict[int, Any] = OrderedDict()

    def write(self, batch: Any) -> None:
        """Append a batch: `ROWS` rows, or fewer if it is the last."""
        self._rows.writer.write_batch(batch)
        self._keys.writer.write_batch(batch.select([name for name, _ in _IN_ORDER]))

    def close(self) -> None:
        """End writing; reading may begin."""
        self._rows.close()
        self._keys.close()

    def remove(self) -> None:
        """Remove what was written, if it is there."""
        self._rows.path.unlink(missing_ok=True)
        self._keys.path.unlink(missing_ok=True)

    def in_order(self, size: int) -> Iterator[Any]:
        """Yield tables of `size` rows, sorted by position, then id. A few batches are in memory."""
        ranked = self._ranked()
        with pa.OSFile(str(self._rows.path)) as file:
            reader = pa.ipc.open_file(file)
            for start in range(0, len(ranked), size):
                yield self._gather(reader, ranked.slice(start, size))

    def _ranked(self) -> Any:
        """Return the numbers of all rows in the order that they shall have."""
        with pa.OSFile(str(self._keys.path)) as file:
            return pc.sort_indices(pa.ipc.open_file(file).read_all(), _IN_ORDER)

    def _gather(self, reader: Any, rows: Any) -> Any:
        """Return the wanted rows, in order."""
        size = integer(ROWS)
        numbers = pc.divide(rows, size)
        lines = pc.subtract(rows, pc.multiply(numbers, size))
        parts = pa.Table.from_batches(
            self._batch(reader, number.as_py()).take(lines.filter(pc.equal(numbers, number)))
            for number in pc.unique(numbers)
        )
        return parts.sort_by(_IN_ORDER)

    def _batch(self, reader: Any, number: int) -> Any:
        if number not in self._held:
            self._held[number] = reader.get_batch(number)
            if len(self._held) > _BATCHES_HELD:
                self._held.popitem(last=False)
        return self._held[number]


class _Batches:
    """A file of Arrow batches, being written."""

    def __init__(self, path: Path, schema: Any) -> None:
        self.path = path
        self._file = pa.OSFile(str(path), "wb")
        self.writer = pa.ipc.new_file(self._file, schema)

    def close(self) -> None:
        self.writer.close()
        self._file.close()
