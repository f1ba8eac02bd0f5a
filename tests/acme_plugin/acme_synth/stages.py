"""A stage that makes every reply loud."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from synth import Message, Record, Services, Stage


class Shout(Stage):
    """Make a child of each record whose reply is in capitals, with `marks` exclamation marks."""

    name: ClassVar[str] = "shout"

    marks: int = 1
    """Exclamation marks at the end."""

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the child."""
        loud = Message(role="assistant", content=record.reply.upper() + "!" * self.marks)
        return [record.child(services.label, 0, messages=(*record.messages[:-1], loud))]
