"""Make many requests of few: like an example, in other words, or about topics that were drawn.

All of a record's requests are asked for at once; each is a child, so that the family of the example
that it comes from stays with it.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from synth import seed
from synth.engine.base import Chat, Sampling
from synth.errors import CallFailed, SeedError
from synth.frozen import RecipeFile, spelled
from synth.prompt import names_of
from synth.record import Message, Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.conversation import last_asked
from synth.stages.parts.repeats import same_words, without_repeats
from synth.stages.parts.replies import (
    MalformedError,
    answer_in,
    failed_child,
    listed,
    malformed_child,
)
from synth.stages.parts.shipped import shipped_prompts

How = Literal["examples", "paraphrase", "conditional", "nested"]
_PROMPTS: dict[How, tuple[str, ...]] = {
    "examples": ("examples_prompt",),
    "paraphrase": ("paraphrase_prompt",),
    "conditional": ("topics_prompt", "request_prompt"),
    "nested": ("topics_prompt", "subtopics_prompt", "request_prompt"),
}
_PUBLISHED_N: dict[str, int] = {"paraphrase": 2, "conditional": 1, "nested": 1}


def drawn_index(topics: int, rng: random.Random) -> int:
    """Return a place in a list of `topics`, from 0, each as likely as any other."""
    return rng.randrange(topics)


def drawn_style(styles: Sequence[str], rng: random.Random) -> str:
    """Return one of `styles`, each as likely as any other."""
    return rng.choice(styles)


class Expand(Stage):
    """Make `n` new requests of each record; the record itself stays behind as their parent.

    `how: examples` asks for another request like the record's own, in a style drawn evenly; `shown`
    further examples of the file `examples` stand beside it. `paraphrase` says the record's last
    user turn in other words, and keeps the rest: what follows its first blank line (the input of a
    task), the reply, the fields. `conditional` has the model list `topics` topics, draws one by its
    number, and asks for a request about it; `nested` lists again within the one that was drawn.

    Children carry the fields `style` (but a paraphrase), and `topic` and `subtopic` where they were
    drawn. Dropped: `copied_example` (the text of an example, or of what was to be paraphrased),
    `duplicate` (the text of an earlier child of the same record), `empty_reply`, `cut_off_reply`,
    `unfinished_reasoning`, `no_list`, `short_list` (it ends before the number that was drawn),
    `empty_item`. Thinking is left out. What resembles the requests of other records is for
    `near_duplicates` in a stage `verify`.

    Method: `examples`: Simonds et al., "MoDEM: Mixture of Domain Expert Models" (2024), 100 for
    each hand-written question at temperature 1; with `shown`: Kang et al., "Self-Specialization:
    Uncovering Latent Expertise within Large Language Models" (2023). `paraphrase`: Honovich et al.,
    "Unnatural Instructions: Tuning Language Models with (Almost) No Human Labor" (2022), up to two
    for each. `conditional`, `nested`: Chen et al., "GenQA: Generating Millions of Instructions from
    a Handful of Prompts" (2024).
    """

    name: ClassVar[str] = "expand"
    takes: ClassVar = "instruction"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("expand")

    engine: str
    """Name of an engine of the recipe."""
    how: How = "examples"
    """Which way new requests are made."""
    n: int = Field(default=100, ge=1)
    """New requests for each record; by default 2 for `paraphrase`, 1 for topics."""
    sampling: Sampling = Sampling(temperature=1.0, max_tokens=1024)
    """How requests and lists are drawn."""
    styles: tuple[str, ...] = Field(
        default=(
            "a short question, as typed into a chat",
            "a polite and formal request",
            "a casual message to a friend who knows about it",
            "a beginner's question, in simple words",
            "an expert's question, with the terms of the field",
            "a longer message that first tells how the question came up",
            "key words, as typed into a search engine",
            "an instruction with one or two conditions for the answer",
        ),
        min_length=1,
    )
    """Conversational styles; one is drawn evenly for each new request."""
    examples: RecipeFile | None = None
    """A seed file beside the recipe with hand-written examples to show beside the record's own."""
    shown: int = Field(default=0, ge=0)
    """How many of `examples` are drawn for each new request; its family stays the record's."""
    topics: int = Field(default=50, ge=1)
    """How many topics a list should have; one of them is drawn evenly, by its number."""
    booster: str = "Let it be an original one, that few others would think of."
    """What the prompt says in favour of variety, for topics; may be empty."""
    examples_prompt: str | None = None
    """A Jinja file beside the recipe; it is given `examples` and `style`."""
    paraphrase_prompt: str | None = None
    """A Jinja file beside the recipe; it is given `before`."""
    topics_prompt: str | None = None
    """A Jinja file beside the recipe that asks for a numbered list; it is given `topics`."""
    subtopics_prompt: str | None = None
    """A Jinja file beside the recipe that asks for a numbered list; it gets `topics`, `topic`."""
    request_prompt: str | None = None
    """A Jinja file beside the recipe; it is given `topic`, `subtopic`, `style` and `booster`."""

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, written: Any) -> Any:
        if (given := spelled(written)) is None:
            return written
        published = _PUBLISHED_N.get(str(given.get("how")))
        return given if published is None else {"n": published, **given}

    @model_validator(mode="after")
    def _there_are_enough_examples(self) -> Self:
        if self.shown and self.examples is None:
            raise ValueError("`shown` wants `examples`: a seed file to draw them from")
        found = len(instructions_in(self.examples)) if self.examples else 0
        # One more than are shown: the record's own example may be among them.
        if self.shown and found <= self.shown:
            raise ValueError(
                f"`shown: {self.shown}` wants a file of at least {self.shown + 1} examples, "
                f"found {found}"
            )
        return self

    def prompts_used(self) -> tuple[str, ...]:
        """Return the prompts that this way of making requests asks with."""
        return _PROMPTS[self.how]

    def lacks(self, record: Record) -> str:
        """Return what a record needs: an instruction, unless topics take its place."""
        return super().lacks(record) if self.how in {"examples", "paraphrase"} else ""

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the `n` children."""
        if self.how in {"examples", "paraphrase"} and not record.instruction:
            raise ValueError("nothing_to_expand: the record has no instruction")
        pool = await self._pool(services)
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(Request(self, record, services, number).child(pool))
                for number in range(self.n)
            ]
        return without_repeats([task.result() for task in asked], services.label)

    async def _pool(self, services: Services) -> list[str]:
        """Return the further examples, read once a run."""
        if not (self.shown and (file := self.examples)):
            return []
        return await services.resource(f"examples|{file}", lambda: instructions_in(file))


def instructions_in(file: Path) -> list[str]:
    """Return the instructions of a seed file. Raises ValueError if it cannot be read."""
    try:
        found = seed.records(seed.resolve([str(file.resolve())], Path()))
        return [record.instruction for record in found if record.instruction]
    except SeedError as error:
        raise ValueError(str(error)) from error


@dataclass(frozen=True, slots=True)
class Request:
    """One new request on its way: child `number` of a record."""

    stage: Expand
    record: Record
    services: Services
    number: int

    async def child(self, pool: Sequence[str]) -> Record:
        """Return the child, dropped where no request could be made; `pool`: further examples."""
        make = {"examples": self._like_examples, "paraphrase": self._in_other_words}
        try:
            return await make.get(self.stage.how, self._about_a_topic)(pool)
        except CallFailed as failed:
            return failed_child(self.record, self.services, self.number, failed)
        except MalformedError as wrong:
            return malformed_child(self.record, self.services, self.number, wrong.raw, wrong)

    async def _like_examples(self, pool: Sequence[str]) -> Record:
        own = self.record.instruction
        others = [other for other in pool if other != own]
        shown = [own, *self._rng("examples").sample(others, self.stage.shown)]
        style = self._style()
        said = await self._said("examples_prompt", examples=shown, style=style)
        _refuse_copies(said, shown)
        return self._new(said, style=style)

    async def _in_other_words(self, _pool: Sequence[str]) -> Record:
        before, gap, kept = self.record.instruction.partition("\n\n")
        said = await self._said("paraphrase_prompt", before=before)
        _refuse_copies(said, [before])
        turns = self.record.messages
        place = last_asked(turns)
        turn = Message(role="user", content=said + gap + kept)
        messages = (*turns[:place], turn, *turns[place + 1 :])
        return self.record.child(self.services.label, self.number, messages=messages)

    async def _about_a_topic(self, _pool: Sequence[str]) -> Record:
        drawn = {"topic": await self._drawn("topics_prompt")}
        if self.stage.how == "nested":
            drawn["subtopic"] = await self._drawn("subtopics_prompt", topic=drawn["topic"])
        style = self._style()
        names = {"subtopic": "", **drawn, "style": style, "booster": self.stage.booster}
        return self._new(await self._said("request_prompt", **names), style=style, **drawn)

    async def _drawn(self, prompt: str, **names: str) -> str:
        """Return the item of a list that the model writes, drawn by its number."""
        topics = self.stage.topics
        said = await self._said(prompt, topics=topics, **names)
        return item(said, drawn_index(topics, self._rng(prompt)))

    async def _said(self, prompt: str, **names: Any) -> str:
        """Return the reply to one of the stage's prompts. Raises MalformedError for an unusable."""
        asked = Chat(self.services.prompts[prompt].render(names_of(self.record, **names)))
        said = await self.services.complete(
            self.stage.engine,
            asked,
            self.stage.sampling,
            self.record,
            step=prompt.removesuffix("_prompt"),
            sample=self.number,
        )
        return answer_in(said, "reply")

    def _new(self, text: str, **fields: str) -> Record:
        system = [turn for turn in self.record.messages if turn["role"] == "system"]
        messages = (*system, Message(role="user", content=text))
        return self.record.child(self.services.label, self.number, messages=messages, fields=fields)

    def _style(self) -> str:
        return drawn_style(self.stage.styles, self._rng("style"))

    def _rng(self, what: str) -> random.Random:
        return self.services.rng(self.record, what, str(self.number))


def item(text: str, index: int) -> str:
    """Return the first line of item `index` (from 0) of a list, without marks of emphasis.

    Raises MalformedError if there is no list, if it ends before, or if the item has no words.
    """
    try:
        items = listed(text)
    except MalformedError as wrong:
        raise MalformedError(str(wrong), raw=text) from wrong
    if index >= len(items):
        wrong = f"short_list: number {index + 1} was drawn, the list has {len(items)}"
        raise MalformedError(wrong, raw=text)
    if not any(character.isalnum() for character in items[index]):
        wrong = f"empty_item: number {index + 1} was drawn, it is {items[index]!r}"
        raise MalformedError(wrong, raw=text)
    return items[index].splitlines()[0].strip(" \t*_")


def _refuse_copies(said: str, examples: Iterable[str]) -> None:
    if same_words(said) in {same_words(example) for example in examples}:
        raise MalformedError("copied_example: the text is that of an example", raw=said)
