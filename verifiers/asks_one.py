"""What verifiers share that ask one model about each record."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import ClassVar, Self

from pydantic import model_validator

from synth import ModelVerifier, Prompt, RecipeFile, Record, Services, Verdict

from .together import all_of


class AsksOne(ModelVerifier):
    """Which engine is asked, and what it is shown: one text, if a prompt is given."""

    instead_of_prompt: ClassVar[str] = "none for the model's own chat template"

    engine: str
    """Name of the recipe's engine whose model is asked."""
    prompt: RecipeFile | None = None
    """A Jinja file beside the recipe, one text."""

    @model_validator(mode="after")
    def _prompt_is_one_text(self) -> Self:
        if self._prompt is not None and self._prompt.roles != ("user",):
            raise ValueError(
                "wants a prompt that is one text, found a chat: give a file without '--- role' "
                f"lines, or {self.instead_of_prompt}"
            )
        return self

    @cached_property
    def _prompt(self) -> Prompt | None:
        return None if self.prompt is None else Prompt.read(self.prompt)

    def engines(self) -> tuple[str, ...]:
        """Return the name of the engine that it asks."""
        return (self.engine,)

    async def judge(self, records: Sequence[Record], services: Services) -> list[Verdict]:
        """Return one verdict for each record; all calls are made at once."""
        return await all_of(self._judge(record, services) for record in records)

    async def _judge(self, record: Record, services: Services) -> Verdict:
        raise NotImplementedError(f"{type(self).__name__} must define _judge()")
