"""Questions to the database of a run: what they give, and what they may not do."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from synth.errors import InputError, RunError, StorageError
from synth.store import database


def test_a_query_names_its_columns_and_gives_its_rows(tmp_path: Path) -> None:
    database.build(tmp_path, [])

    columns, found = database.query(tmp_path, "SELECT n, n * n AS square FROM range(3000) AS r(n)")

    assert columns == ["n", "square"]
    assert list(found) == [(n, n * n) for n in range(3000)]


def test_a_query_that_duckdb_refuses_names_the_tables(tmp_path: Path) -> None:
    database.build(tmp_path, [])

    with pytest.raises(
        InputError, match=r"(?s)recods.*Tables: calls, drops, records, sft, verdicts"
    ):
        database.query(tmp_path, "SELECT * FROM recods")


def test_a_query_cannot_change_the_run(tmp_path: Path) -> None:
    database.build(tmp_path, [])

    with pytest.raises(InputError, match="read-only"):
        database.query(tmp_path, "DELETE FROM records")


def test_a_query_that_breaks_while_it_runs_is_an_input_error(tmp_path: Path) -> None:
    database.build(tmp_path, [])

    with pytest.raises(InputError, match="Conversion Error"):
        list(database.query(tmp_path, "SELECT ('a' || n)::INTEGER FROM range(9) AS r(n)")[1])


def test_a_folder_without_database_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"has no dataset\.duckdb: `synth run` makes it"):
        database.connect(tmp_path)


def test_a_database_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "dataset.duckdb").write_text(
        "not a database, but long enough to be looked at" * 400
    )

    with pytest.raises(StorageError, match=r"cannot open dataset\.duckdb"):
        database.connect(tmp_path)


def test_work_that_needs_more_memory_is_begun_again_with_more() -> None:
    given: list[str] = []

    def hungry(limit: str) -> str:
        given.append(limit)
        with duckdb.connect(":memory:", config={"memory_limit": limit, "threads": 1}) as connection:
            connection.execute("SET temp_directory = ''; SELECT list(range) FROM range(20000000)")
        return "done"

    assert database.within_memory(hungry) == "done"
    assert given == ["32MB", "48MB", "160MB", "640MB"]
