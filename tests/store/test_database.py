"""The database of a run: each record once, as its last stage left it."""

from __future__ import annotations

import json
import random
import resource
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from synth.errors import StorageError
from synth.record import Judgement, Message, Record, Verdict
from synth.store import database
from synth.store.stage_file import StageFile

HOSTILE = "\0 \"'; DROP TABLE records; -- \\ \x7f 𝄞 \u2028 {}"


def turns(question: str, reply: str) -> list[Message]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]


def stage(folder: Path, number: int, label: str, records: Iterable[Record]) -> tuple[str, Path]:
    path = folder / f"{number:02d}-{label}.parquet"
    file = StageFile(path, key=label)
    file.add(records)
    file.finish()
    return label, path


def judged(record: Record, stage_label: str, verifier: str, verdict: Verdict) -> Record:
    return record.judged(Judgement(stage_label, verifier.upper(), verifier, "2", verdict))


def run_of(folder: Path, seeds: int) -> list[tuple[str, Path]]:
    """Write the stage files of seeds → respond (two each) → verify (the second is dropped)."""
    starts = [Record.seed({"n": n, "text": HOSTILE}, number=n) for n in range(seeds)]
    made: list[Record] = []
    passed: list[Record] = []
    for start in starts:
        good, bad = (
            start.child("respond", n, messages=turns(HOSTILE, f"reply {n} {HOSTILE}"))
            for n in range(2)
        )
        made += [replace(start, state="parent"), good, bad]
        verdict = Verdict.failed(
            "too_long", HOSTILE, score=7.5, evidence={"words": 9, "text": HOSTILE}
        )
        failed = judged(bad, "verify", "length", verdict).drop(
            "verdict", by="LENGTH", reason="too_long: 9"
        )
        passed += [judged(good, "verify", "length", Verdict.passed()), failed]
    return [
        stage(folder, 0, "seeds", starts),
        stage(folder, 1, "respond", made),
        stage(folder, 2, "verify", passed),
    ]


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    return list(database.query(folder, sql)[1])


def test_each_record_stands_once_as_its_last_stage_left_it(tmp_path: Path) -> None:
    stages = run_of(tmp_path, 3)

    database.build(tmp_path, stages)

    found = rows(
        tmp_path, "SELECT position, stage, state, drop_kind, drop_by, drop_reason FROM records"
    )
    each = [
        ("respond", "parent", None, None, None),
        ("verify", "live", None, None, None),
        ("verify", "dropped", "verdict", "LENGTH", "too_long: 9"),
    ]
    positions = [place for n in range(3) for place in ([n], [n, 0], [n, 1])]
    assert found == [(place, *each[n % 3]) for n, place in enumerate(positions)]


def test_fields_and_messages_are_the_same_json_as_in_the_record(tmp_path: Path) -> None:
    database.build(tmp_path, run_of(tmp_path, 1))

    ((fields, messages),) = rows(
        tmp_path, "SELECT fields, messages FROM records WHERE state = 'live'"
    )

    assert json.loads(fields) == {"n": 0, "text": HOSTILE}
    assert json.loads(messages) == turns(HOSTILE, f"reply 0 {HOSTILE}")


def test_verdicts_are_those_given_on_the_last_row(tmp_path: Path) -> None:
    database.build(tmp_path, run_of(tmp_path, 1))

    columns, found = database.query(tmp_path, "FROM verdicts")

    assert columns == [
        *(
            "record_id",
            "stage",
            "verifier",
            "label",
            "version",
            "outcome",
            "reason",
            "score",
            "evidence",
        )
    ]
    good, bad = (row[1:] for row in found)
    assert good == ("verify", "length", "LENGTH", "2", "pass", "", None, None)
    assert bad[:7] == ("verify", "length", "LENGTH", "2", "fail", f"too_long: {HOSTILE}", 7.5)
    assert json.loads(bad[7]) == {"words": 9, "text": HOSTILE}


def test_several_verdicts_keep_the_order_in_which_they_were_given(tmp_path: Path) -> None:
    record = Record.seed({"n": 1})
    for name in ("zeta", "alpha", "mid"):
        record = judged(record, "verify", name, Verdict.passed())

    database.build(tmp_path, [stage(tmp_path, 0, "verify", [record])])

    assert rows(tmp_path, "SELECT verifier FROM verdicts") == [("zeta",), ("alpha",), ("mid",)]


def test_the_view_sft_holds_live_records_that_end_with_the_assistant(tmp_path: Path) -> None:
    seed = Record.seed({"n": 1})
    asked: list[Message] = [{"role": "user", "content": "?"}]
    records = [
        seed.child("respond", 0, messages=turns("?", "!")),
        seed.child("respond", 1, messages=asked),
        seed.child("respond", 2, messages=turns("?", "no")).drop("verdict", by="x", reason="y"),
        seed.child("respond", 3, messages=turns("?", "hm")).hold(by="x", reason="y"),
        seed.child("respond", 4),
    ]

    database.build(tmp_path, [stage(tmp_path, 0, "respond", records)])

    assert rows(tmp_path, "SELECT id, family, position FROM sft") == [
        (records[0].id, seed.id, [0, 0])
    ]


def test_drops_are_counted_by_the_code_of_their_reason(tmp_path: Path) -> None:
    seed = Record.seed({"n": 1})
    reasons = ("too_long: 9 words", "too_long: 12 words", "empty")
    records = [
        seed.child("respond", n).drop("verdict", by="length", reason=reason)
        for n, reason in enumerate(reasons)
    ]

    database.build(tmp_path, [stage(tmp_path, 0, "respond", records)])

    assert rows(tmp_path, "SELECT stage, drop_kind, drop_by, code, records FROM drops") == [
        ("respond", "verdict", "length", "too_long", 2),
        ("respond", "verdict", "length", "empty", 1),
    ]


def test_many_records_keep_their_order_over_all_windows(tmp_path: Path) -> None:
    seeds = 4000
    stages = run_of(tmp_path, seeds)

    database.build(tmp_path, stages)

    ordered = "SELECT position, lag(position) OVER () AS before FROM records"
    assert rows(tmp_path, f"SELECT count(*) FROM ({ordered}) WHERE before > position") == [(0,)]
    assert rows(tmp_path, "SELECT count(*), count(DISTINCT id) FROM records") == [
        (3 * seeds, 3 * seeds)
    ]
    assert rows(tmp_path, "SELECT count(*) FROM verdicts") == [(2 * seeds,)]


def test_a_run_without_stages_and_store_has_empty_tables(tmp_path: Path) -> None:
    database.build(tmp_path, [])

    tables = [name for (name,) in rows(tmp_path, "SHOW TABLES")]
    assert tables == ["calls", "drops", "records", "sft", "verdicts"]
    assert all(rows(tmp_path, f"SELECT count(*) FROM {name}") == [(0,)] for name in tables)


def test_it_is_built_anew_and_leaves_nothing_else(tmp_path: Path) -> None:
    stages = run_of(tmp_path, 2)
    for name in ("dataset.duckdb.part", "dataset.duckdb.part.wal", "dataset.duckdb.wal"):
        (tmp_path / name).write_text("left by a killed process")
    database.build(tmp_path, stages)

    database.build(tmp_path, stages[:1])

    assert {path.name for path in tmp_path.iterdir() if path.suffix != ".parquet"} == {
        "dataset.duckdb"
    }
    assert rows(tmp_path, "SELECT DISTINCT stage, state FROM records") == [("seeds", "live")]


def test_nothing_in_it_tells_where_it_was_built(tmp_path: Path) -> None:
    folder = tmp_path / "a folder's name that nobody else has"
    folder.mkdir()

    database.build(folder, run_of(folder, 5))

    assert b"nobody else has" not in (folder / "dataset.duckdb").read_bytes()
    folder.rename(tmp_path / "moved")
    assert rows(tmp_path / "moved", "SELECT count(*) FROM sft") == [(5,)]


def test_a_damaged_stage_file_is_named_and_the_old_database_stands(tmp_path: Path) -> None:
    stages = run_of(tmp_path, 300)
    database.build(tmp_path, stages[:1])
    path = stages[2][1]
    content = path.read_bytes()
    middle = len(content) // 3
    path.write_bytes(content[:middle] + random.Random(0).randbytes(3000) + content[middle + 3000 :])

    with pytest.raises(
        StorageError, match=r"02-verify\.parquet is damaged; delete it and run again"
    ):
        database.build(tmp_path, stages)

    assert rows(tmp_path, "SELECT count(*) FROM records") == [(300,)]
    assert not list(tmp_path.glob("*.part*"))


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"no database, certainly" * 100)

    with pytest.raises(StorageError, match=r"store\.sqlite"):
        database.build(tmp_path, [])


def test_a_full_disk_is_told_and_nothing_half_written_stays(tmp_path: Path) -> None:
    stages = run_of(tmp_path, 300)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(StorageError, match=r"cannot build dataset\.duckdb: .*[Dd]isk full"):
            database.build(tmp_path, stages)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert not list(tmp_path.glob("dataset.duckdb*"))


def test_a_folder_whose_name_looks_like_a_pattern_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "run [1] * 'it"
    folder.mkdir()

    database.build(folder, run_of(folder, 2))

    assert rows(folder, "SELECT count(*) FROM records") == [(6,)]
