"""Stages that look at the whole set by its columns; one breaks."""

from __future__ import annotations

from typing import Any

import numpy as np

from synth import Services, Stage


class Shortest(Stage):
    """Keep the `most` records with the lowest number in the field `of`."""

    name = "shortest"
    chooses = True
    of: str = "size"
    most: int = 2

    async def choose(self, rows: Any, services: Services) -> Any:
        numbers = rows.numbers(self.of)
        kept = set(np.argsort(numbers, kind="stable")[: self.most].tolist())
        return lambda number: "" if number in kept else f"too_long: {numbers[number]:g}"


class Ranked(Stage):
    """Keep all records, and write the place of each by size, smallest first, into a field."""

    name = "ranked"
    chooses = True

    async def choose(self, rows: Any, services: Services) -> Any:
        order = np.argsort(rows.numbers("size"), kind="stable").tolist()
        return lambda number: {"place": order.index(number)}


class Broken(Stage):
    """Break over the set."""

    name = "broken"
    chooses = True

    async def choose(self, rows: Any, services: Services) -> Any:
        raise ValueError(f"{rows.count} are too many")
