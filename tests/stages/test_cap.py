"""At most so many records of a kind, the first by position."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synth.record import Record
from synth.stages.cap import Cap
from tests.running import services


def of_domains(*domains: Any) -> list[Record]:
    return [
        Record.seed({} if domain is None else {"domain": domain}, number=number, occurrence=number)
        for number, domain in enumerate(domains)
    ]


async def capped(folder: Path, stage: Cap, batches: Sequence[Sequence[Record]]) -> list[str]:
    """Return the reasons, "" for what passed."""
    async with services(folder, label="cap") as given:
        passed = [one for batch in batches for one in await stage.apply_batch(batch, given)]
    return [record.dropped.reason if record.dropped else "" for (record,) in passed]


async def test_the_first_records_of_each_kind_pass(tmp_path: Path):
    records = of_domains("math", "law", "math", "math", "law")

    reasons = await capped(tmp_path, Cap(most=2), [records])

    assert reasons == ["", "", "", "over_cap: 2 records with 'domain' \"math\" came before", ""]


async def test_batches_do_not_count(tmp_path: Path):
    records = of_domains("math", "math", "math")

    reasons = await capped(tmp_path, Cap(most=1), [[record] for record in records])

    assert [bool(reason) for reason in reasons] == [False, True, True]


async def test_a_kind_may_have_a_cap_of_its_own(tmp_path: Path):
    stage = Cap(most=1, others={"math": 2, "law": 0})

    reasons = await capped(tmp_path, stage, [of_domains("math", "math", "law", "code", "code")])

    assert [bool(reason) for reason in reasons] == [False, False, True, False, True]


async def test_records_without_the_field_are_one_kind(tmp_path: Path):
    reasons = await capped(tmp_path, Cap(most=1), [of_domains(None, None, "None", 1, "1", True)])

    assert [bool(reason) for reason in reasons] == [False, True, False, False, False, False]


def test_it_sees_records_in_order():
    assert Cap(most=1).in_order
