"""Have an engine turn a text of each record into a vector, kept in a field."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import ClassVar

from synth.record import Of, Record
from synth.services import Services
from synth.stage import Stage

_DECIMALS = 6
_TEXT: dict[Of, Callable[[Record], str]] = {
    "instruction": lambda record: record.instruction,
    "reply": lambda record: record.reply,
    "all": lambda record: "\n\n".join(turn["content"] for turn in record.messages),
}


class Embed(Stage):
    """Put the embedding of a text into a field: a list of numbers, as a vector of length 1.

    For whatever takes `vectors: embedding`: the verifier `semantic_duplicates`, and `deita`,
    `facility_location` and `k_means` of the stage `select`. Each record is one call, and all go out
    at once: a server makes batches of them itself. Models that need no server (`minilm` and the
    like) are named where they are used, without this stage.

    Numbers are kept with six decimals: some 9 bytes a dimension in each stage file that follows, so
    a million records of 1,024 dimensions are 9 GB a stage before compression. No export holds them.

    Dropped: `nothing_to_embed` (the record lacks the text), `no_vector` (all zeros). A reply
    without numbers, or with NaN, is a failed call.
    """

    name: ClassVar[str] = "embed"

    engine: str
    """An engine of the recipe that embeds: `http`, for a server that has `/embeddings`."""
    of: Of = "instruction"
    """Which text: the `instruction`, the `reply`, or `all` messages."""
    prefix: str = ""
    """What stands before each text, where the model's card asks for it: "query: "."""
    into: str = "embedding"
    """The field."""

    def needs(self, engine: str) -> frozenset[str]:
        """Return what it asks of its engine: vectors."""
        return frozenset({"embed"})

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the record with its vector, or dropped."""
        text = _TEXT[self.of](record)
        if not text.strip():
            why = f"nothing_to_embed: no {self.of} with text"
            return [record.drop("filter", by=services.label, reason=why)]
        vector = await services.embed(self.engine, self.prefix + text, record)
        length = math.hypot(*vector)
        if not 0 < length < math.inf:
            why = f"no_vector: the engine {self.engine!r} gave a vector of length {length:g}"
            return [record.drop("filter", by=services.label, reason=why)]
        return [record.adding({self.into: [round(one / length, _DECIMALS) for one in vector]})]
