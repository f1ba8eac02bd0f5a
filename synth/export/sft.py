"""Rows for supervised fine-tuning: every live record that ends with an assistant's turn."""

from __future__ import annotations

from typing import Any

from synth.export.dataset import (
    JSON_TURNS,
    PLAIN,
    PLAIN_TURNS,
    TEXT,
    Dataset,
    in_test,
    tables,
    turns,
)
from synth.recipe import Sft

_TOOLS = "SELECT 1 FROM sft WHERE json_type(fields, '$.tools') = 'ARRAY' LIMIT 1"
_NOT_PLAIN = f"SELECT 1 FROM sft WHERE NOT {PLAIN} LIMIT 1"  # noqa: S608 (SQL of ours)
_TOOLS_OF_ROW = (
    "CASE WHEN json_type(fields, '$.tools') = 'ARRAY' THEN json_extract(fields, '$.tools') END"
)


def dataset(connection: Any, options: Sft) -> Dataset:
    """Return `messages`, `id` and `family` of each row of the view `sft`, by position.

    Where a record has a field `tools`, a list, there is a column `tools` too: the functions that
    the assistant may call. A row without any has an empty list there.
    """
    other = connection.execute(_NOT_PLAIN).fetchall()
    kind = JSON_TURNS if other else PLAIN_TURNS
    columns = {"messages": kind, "id": TEXT, "family": TEXT}
    tools = ""
    if connection.execute(_TOOLS).fetchall():
        columns["tools"] = JSON_TURNS
        tools = f"coalesce({turns(JSON_TURNS, _TOOLS_OF_ROW)}, []::VARCHAR[]) AS tools, "
    # The table is stored by position and read by one thread: no sort is needed to keep that order.
    sql = (
        f"SELECT {turns(kind)} AS messages, id, family, {tools}"  # noqa: S608 (SQL of ours)
        f"{in_test(options.test_fraction)} AS test FROM sft"
    )
    return Dataset(
        columns,
        tables(connection, sql, columns),
        "A row is one conversation that ends with the assistant's turn, for fine-tuning.",
    )
