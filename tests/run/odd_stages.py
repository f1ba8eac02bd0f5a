"""Stages that break their contract over record 1, and some that keep it in unusual ways."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from synth import Chat, Record, Sampling, Services, Stage


class Echo(Stage):
    """Give each record `n` children without asking anybody."""

    name = "echo"

    n: int = 1

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        return [
            record.child(services.label, number, fields={"echo": number})
            for number in range(self.n)
        ]


class DropAll(Stage):
    """Let nothing through."""

    name = "drop_all"

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        return [record.drop("filter", by=services.label, reason="unwanted: nothing is wanted")]


class Faithless(Stage):
    """Return what no stage may return for record 1, and the others as they are."""

    name = "faithless"

    how: Literal["vanish", "none", "foreign", "moved", "twins", "bare", "text"]

    async def apply(self, record: Record, services: Services) -> Any:
        if record.fields["n"] != 1:
            return [record]
        child = record.child(services.label, 0)
        return {
            "vanish": [],
            "none": None,
            "foreign": [Record.seed({"n": 1}, number=1, occurrence=1)],
            "moved": [replace(child, position=(9, 0))],
            "twins": [child, replace(child, fields={"n": 2})],
            "bare": record,
            "text": ["a reply"],
        }[self.how]


class Short(Stage):
    """Forget one record of each batch."""

    name = "short"
    batch = 8

    async def apply_batch(
        self, records: Sequence[Record], services: Services
    ) -> Sequence[Sequence[Record]]:
        return [[record] for record in records[1:]]


class Unwritable(Stage):
    """Give record 1 a field that JSON cannot hold."""

    name = "unwritable"

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        value = {1, 2} if record.fields["n"] == 1 else [1, 2]
        return [record.child(services.label, 0, fields={"value": value})]


class Grouped(Stage):
    """Ask twice at once, in a group of tasks."""

    name = "grouped"

    engine: str = "teacher"

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        asked = Chat(({"role": "user", "content": record.instruction},))
        async with asyncio.TaskGroup() as tasks:
            replies = [
                tasks.create_task(services.complete("teacher", asked, Sampling(), record, sample=n))
                for n in range(2)
            ]
        texts = [reply.result().text for reply in replies]
        return [record.child(services.label, 0, fields={"texts": texts})]
