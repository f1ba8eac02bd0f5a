"""A stage file: the same bytes for the same rows, whole or absent."""
# pyarrow has no complete type stubs; what it returns is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from synth.errors import StorageError
from synth.record import Judgement, Message, Record, Verdict, canonical
from synth.store import stage_file
from synth.store.stage_file import StageFile

HOSTILE = ("", "\0", 'a"b\\c\n\t\r\b\f\x1f\x7f', "–  ' 𝄞 שלום", "--- system\n", "\ufffd")


def judgement(label: str, verdict: Verdict) -> Judgement:
    return Judgement("verify", label, label, "1", verdict)


def rows(count: int) -> list[Record]:
    """Return parents and children with all that a row can hold."""
    made: list[Record] = []
    for number in range(count):
        text = HOSTILE[number % len(HOSTILE)] + str(number)
        seed = Record.seed({"text": text, "number": number}, number=number)
        child = seed.child(
            "respond",
            0,
            messages=[Message(role="user", content=text), {"role": "assistant", "content": "yes"}],
        )
        child = child.judged(judgement("good", Verdict.passed(score=0.5, evidence={"seen": text})))
        if number % 3 == 0:
            child = child.judged(judgement("bad", Verdict.failed("wrong", text)))
            child = child.drop("verdict", by="bad", reason="wrong: it is")
        elif number % 3 == 1:
            child = child.hold(by="bad", reason="broke: it did")
        made += [replace(seed, state="parent"), child]
    return made


def written(path: Path, records: list[Record], *, key: str = "key", at_once: int = 50) -> bytes:
    file = StageFile(path, key=key)
    for start in range(0, len(records), at_once):
        file.add(records[start : start + at_once])
    file.finish()
    return path.read_bytes()


def test_what_was_written_is_read_back_in_the_order_of_positions(tmp_path: Path) -> None:
    records = rows(40)

    written(tmp_path / "stage.parquet", records[::-1])

    assert list(stage_file.read(tmp_path / "stage.parquet")) == records


@pytest.mark.parametrize("at_once", [1, 700, 10_000])
def test_rows_in_any_order_give_the_same_bytes(tmp_path: Path, at_once: int) -> None:
    records = rows(3000)
    shuffled = random.Random(at_once).sample(records, len(records))

    in_order = written(tmp_path / "a.parquet", records)
    in_disorder = written(tmp_path / "b.parquet", shuffled, at_once=at_once)

    assert in_disorder == in_order


def test_records_of_one_position_are_ordered_by_id(tmp_path: Path) -> None:
    seed = Record.seed({"n": 1})
    twins = [seed.child(label, 0) for label in ("evolve", "respond", "judge")]

    written(tmp_path / "stage.parquet", twins)

    found = [record.id for record in stage_file.read(tmp_path / "stage.parquet")]
    assert found == sorted(record.id for record in twins)


def test_a_parent_stands_before_its_children_and_ten_after_nine(tmp_path: Path) -> None:
    seeds = [Record.seed({"n": number}, number=number) for number in (9, 10, 256)]
    family = [record for seed in seeds for record in (seed, seed.child("respond", 1))]

    written(tmp_path / "stage.parquet", random.Random(0).sample(family, len(family)))

    positions = [record.position for record in stage_file.read(tmp_path / "stage.parquet")]
    assert positions == [(9,), (9, 1), (10,), (10, 1), (256,), (256, 1)]


def test_reading_one_state_leaves_the_others_out(tmp_path: Path) -> None:
    records = rows(30)
    written(tmp_path / "stage.parquet", records)

    live = list(stage_file.read(tmp_path / "stage.parquet", state="live"))

    assert live == [record for record in records if record.state == "live"]


def test_counts_tell_states_and_kinds_of_drops(tmp_path: Path) -> None:
    seed = Record.seed({"n": 1})
    children = [seed.child("respond", number) for number in range(4)]
    records = [
        replace(seed, state="parent"),
        children[0],
        children[1].drop("verdict", by="length", reason="too_short"),
        children[2].drop("error", by="respond", reason="TimeoutError"),
        children[3].hold(by="judge", reason="TimeoutError"),
    ]

    written(tmp_path / "stage.parquet", records)

    counts = stage_file.counts_of(tmp_path / "stage.parquet")
    assert counts == {"parent": 1, "live": 1, "verdict": 1, "error": 2}


def test_a_file_without_rows_is_whole_too(tmp_path: Path) -> None:
    written(tmp_path / "stage.parquet", [], key="none")

    assert list(stage_file.read(tmp_path / "stage.parquet")) == []
    assert stage_file.key_of(tmp_path / "stage.parquet") == "none"
    assert stage_file.counts_of(tmp_path / "stage.parquet") == {}


def test_the_key_is_that_of_the_writer(tmp_path: Path) -> None:
    written(tmp_path / "stage.parquet", rows(2), key="a key – of its own")

    assert stage_file.key_of(tmp_path / "stage.parquet") == "a key – of its own"


def test_until_it_is_finished_there_is_no_file(tmp_path: Path) -> None:
    file = StageFile(tmp_path / "stage.parquet", key="key")

    file.add(rows(1200))

    assert not (tmp_path / "stage.parquet").exists()
    file.finish()
    assert [path.name for path in tmp_path.iterdir()] == ["stage.parquet"]


def test_an_abandoned_file_leaves_nothing_and_the_old_one_as_it_was(tmp_path: Path) -> None:
    before = written(tmp_path / "stage.parquet", rows(3), key="old")
    file = StageFile(tmp_path / "stage.parquet", key="new")
    file.add(rows(1200))

    file.abandon()

    assert [path.name for path in tmp_path.iterdir()] == ["stage.parquet"]
    assert (tmp_path / "stage.parquet").read_bytes() == before


def test_plain_and_other_messages_are_written_as_canonical_json(tmp_path: Path) -> None:
    odd: list[list[Message]] = [
        [{"role": "user", "content": text}, {"role": "assistant", "content": text * 2}]
        for text in HOSTILE
    ]
    call = {"id": "1", "function": {"name": "f", "arguments": {"z": 1, "a": None}}}
    odd += [
        [],
        [{"role": "assistant", "content": "", "tool_calls": [call]}],
        [{"role": "user", "name": "Ann"}],  # pyright: ignore[reportAssignmentType]
        [{"role": "user", "content": None}],  # pyright: ignore[reportAssignmentType]
    ]
    seed = Record.seed({"n": 1})
    records = [seed.child("respond", number, messages=given) for number, given in enumerate(odd)]

    written(tmp_path / "stage.parquet", records)

    stored = stage_file.pq.read_table(tmp_path / "stage.parquet", columns=["messages"])
    assert stored.column("messages").to_pylist() == [canonical(given) for given in odd]


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not parquet at all"])
def test_what_is_no_stage_file_has_no_key(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "stage.parquet"
    path.write_bytes(content)

    assert stage_file.key_of(path) is None
    assert stage_file.counts_of(path) == {}
    assert not stage_file.is_whole(path)


def test_a_file_that_is_not_there_has_no_key(tmp_path: Path) -> None:
    assert stage_file.key_of(tmp_path / "stage.parquet") is None


def test_a_file_damaged_in_the_middle_is_named(tmp_path: Path) -> None:
    path = tmp_path / "03-verify.parquet"
    content = written(path, rows(1000))
    middle = len(content) // 3
    path.write_bytes(content[:middle] + b"\xff" * 2000 + content[middle + 2000 :])

    assert not stage_file.is_whole(path)
    with pytest.raises(
        StorageError, match=r"03-verify\.parquet is damaged .*; delete it and run again"
    ):
        list(stage_file.read(path))


def test_a_whole_file_is_known_as_whole(tmp_path: Path) -> None:
    written(tmp_path / "stage.parquet", rows(10))

    assert stage_file.is_whole(tmp_path / "stage.parquet")
