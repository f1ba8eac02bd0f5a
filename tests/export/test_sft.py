"""SFT rows: live records as a trainer reads them."""
# pyarrow has no complete type stubs; what it returns is unknown to the type checker.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from hashlib import md5
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from synth import export
from synth.recipe import Recipe
from synth.record import Message, Record

Finish = Callable[[Iterable[Record]], Path]
Recipes = Callable[..., Recipe]


def turns(question: str, reply: str) -> list[Message]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": reply}]


def answered(number: int, messages: list[Message] | None = None) -> Record:
    seed = Record.seed({"n": number}, number=number)
    return seed.child("respond", 0, messages=messages or turns(f"{number}?", f"{number}!"))


def rows(run: Path, split: str = "train") -> list[dict[str, Any]]:
    return pq.read_table(run / "export" / "sft" / f"{split}.parquet").to_pylist()


def test_live_records_are_rows_in_the_order_of_the_run(finish: Finish, recipe: Recipes) -> None:
    records = [answered(n) for n in range(12)]

    counts = export.write(finish(reversed(records)), recipe(sft={}))

    assert counts == {"sft": {"train": 12}}


def test_a_row_holds_messages_first_then_id_and_family(finish: Finish, recipe: Recipes) -> None:
    record = answered(1, turns("é\0\n?", "–"))
    run = finish([record])

    export.write(run, recipe(sft={}))

    (row,) = rows(run)
    assert list(row.items()) == [
        (
            "messages",
            [{"role": "user", "content": "é\0\n?"}, {"role": "assistant", "content": "–"}],
        ),
        ("id", record.id),
        ("family", record.family),
    ]


def test_dropped_held_and_unanswered_records_stay_out(finish: Finish, recipe: Recipes) -> None:
    asked: list[Message] = [{"role": "user", "content": "?"}]
    run = finish(
        [
            answered(0),
            answered(1).drop("verdict", by="length", reason="too_long"),
            answered(2).hold(by="judge", reason="broke"),
            answered(3, asked),
        ]
    )

    export.write(run, recipe(sft={}))

    assert [row["id"] for row in rows(run)] == [answered(0).id]


@pytest.mark.parametrize(
    "odd",
    [
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "1", "arguments": {"b": 1.5, "a": None}}],
        },
        {"role": "assistant", "content": "yes", "reasoning": "because"},
        {"role": "assistant", "content": "yes", "name": "Ann"},
    ],
)
def test_one_message_with_more_keys_makes_all_messages_json(
    finish: Finish, recipe: Recipes, odd: Message
) -> None:
    mixed = [answered(0), answered(1, [{"role": "user", "content": "?"}, odd])]
    run = finish(mixed)

    export.write(run, recipe(sft={}))

    found = [[json.loads(text) for text in row["messages"]] for row in rows(run)]
    assert found == [list(record.messages) for record in mixed]


def test_the_test_split_is_what_the_digest_of_the_family_says(
    finish: Finish, recipe: Recipes
) -> None:
    records = [answered(n) for n in range(400)]
    run = finish(records)

    counts = export.write(run, recipe(sft={"test_fraction": 0.25}))

    def in_test(record: Record) -> bool:
        return int(md5(record.family.encode()).hexdigest()[:8], 16) / 2**32 < 0.25  # noqa: S324

    wanted = [record.id for record in records if in_test(record)]
    assert [row["id"] for row in rows(run, "test")] == wanted
    assert counts == {"sft": {"train": 400 - len(wanted), "test": len(wanted)}}
    assert 60 < len(wanted) < 140


def test_a_family_never_straddles_the_splits(finish: Finish, recipe: Recipes) -> None:
    seeds = [Record.seed({"n": n}, number=n) for n in range(40)]
    run = finish(
        seed.child("respond", n, messages=turns("?", "!")) for seed in seeds for n in range(5)
    )

    export.write(run, recipe(sft={"test_fraction": 0.5}))

    train, test = ({row["family"] for row in rows(run, split)} for split in ("train", "test"))
    assert train
    assert test
    assert not train & test


def test_a_grown_dataset_moves_no_row_to_the_other_split(finish: Finish, recipe: Recipes) -> None:
    small, large = finish(answered(n) for n in range(50)), finish(answered(n) for n in range(150))

    for run in (small, large):
        export.write(run, recipe(sft={"test_fraction": 0.3}))

    before, after = ({row["id"] for row in rows(run, "test")} for run in (small, large))
    assert before == after & {answered(n).id for n in range(50)}


def test_a_run_that_accepted_nothing_has_an_export_without_rows(
    finish: Finish, recipe: Recipes
) -> None:
    run = finish([answered(0).drop("filter", by="respond", reason="empty")])

    counts = export.write(run, recipe(sft={}))

    assert counts == {"sft": {}}
    assert "there is nothing to load" in (run / "export" / "README.md").read_text("utf-8")
