"""The table `calls`: what was asked, in an order that does not depend on timing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from synth.record import canonical
from synth.store import database
from synth.store.calls import CallRow, Store

HOSTILE = "\0 \"'; DROP TABLE records; -- \\ \x7f 𝄞 \u2028 {}"


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    return list(database.query(folder, sql)[1])


async def keep_calls(folder: Path, calls: Sequence[CallRow]) -> None:
    async with Store(folder / "store.sqlite") as store:
        for call in calls:
            await store.keep_call(call)


def call(record: str, sample: int, prompt: str = '{"messages":[]}') -> CallRow:
    key = f"{record}{sample}".encode()
    reply = canonical({"text": "hi"})
    return (
        key,
        "http",
        "mock",
        record,
        "respond",
        "reply",
        sample,
        prompt,
        reply,
        11,
        7,
        "stop",
        0.25,
    )


async def test_calls_come_from_the_store_in_order(tmp_path: Path) -> None:
    await keep_calls(
        tmp_path, [call("b", 1), call("b", 0), call("a", 0, canonical({"text": HOSTILE}))]
    )

    database.build(tmp_path, [])

    found = rows(tmp_path, "SELECT * EXCLUDE prompt FROM calls")
    assert [row[3:7] for row in found] == [
        *(("a", "respond", "reply", 0), ("b", "respond", "reply", 0), ("b", "respond", "reply", 1))
    ]
    assert found[0] == (
        *(b"a0".hex(), "http", "mock", "a", "respond", "reply", 0, "stop", 11, 7, 0.25),
    )
    ((prompt,),) = rows(tmp_path, "SELECT prompt FROM calls WHERE record_id = 'a'")
    assert json.loads(prompt) == {"text": HOSTILE}


@pytest.mark.parametrize("prompt", ['"\\ud800"', "no JSON", ""])
async def test_text_that_is_no_json_is_kept_as_a_json_string(tmp_path: Path, prompt: str) -> None:
    await keep_calls(tmp_path, [call("a", 0, prompt)])

    database.build(tmp_path, [])

    ((kept,),) = rows(tmp_path, "SELECT prompt FROM calls")
    assert json.loads(kept) == prompt


async def test_more_calls_than_one_batch_all_arrive(tmp_path: Path) -> None:
    calls = [call("a", sample) for sample in range(2500)]
    async with Store(tmp_path / "store.sqlite") as store:
        await asyncio.gather(*(store.keep_call(one) for one in calls))

    database.build(tmp_path, [])

    assert rows(tmp_path, "SELECT count(*), min(sample), max(sample) FROM calls") == [
        (2500, 0, 2499)
    ]
