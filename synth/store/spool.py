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
    """Batches with the columns `order` (bytes that sort as positions do) and `id`, in a file."""

    def __init__(self, path: Path, schema: Any) -> None:
        self._path = path
        self._schema = schema
        self._file = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._file, schema)
        self._held: OrderedDict[int, Any] = OrderedDict()

    def write(self, batch: Any) -> None:
        """Append a batch: `ROWS` rows, or fewer if it is the last."""
        self._writer.write_batch(batch)

    def close(self) -> None:
        """End writing; reading may begin."""
        self._writer.close()
        self._file.close()

    def remove(self) -> None:
        """Remove the file, if it is there."""
        self._path.unlink(missing_ok=True)

    def in_order(self, size: int) -> Iterator[Any]:
        """Yield tables of `size` rows, sorted by position, then id. A few batches are in memory."""
        ranked = self._ranked()
        with pa.OSFile(str(self._path)) as file:
            reader = pa.ipc.open_file(file)
            for start in range(0, len(ranked), size):
                yield self._gather(reader, ranked.slice(start, size))

    def _ranked(self) -> Any:
        """Return the numbers of all rows in the order that they shall have; reads two columns."""
        columns = [self._schema.get_field_index(name) for name, _ in _IN_ORDER]
        options = pa.ipc.IpcReadOptions(included_fields=columns)
        with pa.OSFile(str(self._path)) as file:
            return pc.sort_indices(pa.ipc.open_file(file, options=options).read_all(), _IN_ORDER)

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
