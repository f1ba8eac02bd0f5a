"""Stages that see the whole set before they begin; some break their contract."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal

from synth import Chat, Record, Sampling, Services, Stage

Leave = Callable[[Sequence[Record]], None]


class Reverse(Stage):
    """Tell each record how many there are, the last one first, and wait a moment after each."""

    name = "reverse"
    sees_all = True

    async def apply_all(self, records: Sequence[Record], services: Services, leave: Leave) -> None:
        for record in reversed(records):
            leave([record.child(services.label, 0, fields={"of": len(records)})])
            await asyncio.sleep(0.01)


class Chain(Stage):
    """Ask one question after the other, each about the reply before; all from the first record."""

    name = "chain"
    sees_all = True
    engine: str = "teacher"
    length: int = 5

    async def apply_all(self, records: Sequence[Record], services: Services, leave: Leave) -> None:
        leave([record.as_parent() for record in records])
        before = records[0]
        for number in range(self.length):
            asked = Chat(({"role": "user", "content": f"{before.fields}"},))
            reply = await services.complete(
                self.engine, asked, Sampling(), records[0], step="chain", sample=number
            )
            before = replace(
                before.child(services.label, number, fields={"said": reply.text}),
                position=(*records[0].position, number),
            )
            leave([before])


class FaithlessWhole(Stage):
    """Let leave what may not."""

    name = "faithless_whole"
    sees_all = True
    how: Literal["vanish", "twice", "foreign", "text", "broken"]

    async def apply_all(self, records: Sequence[Record], services: Services, leave: Leave) -> None:
        first, *others = records
        leave(others)
        if self.how == "broken":
            raise KeyError("no such thing")
        bad: dict[str, list[Any]] = {
            "vanish": [],
            "twice": [first, first],
            "foreign": [Record.seed({"n": 1}, number=0, occurrence=7)],
            "text": ["a reply"],
        }
        leave(bad[self.how])
