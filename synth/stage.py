"""A stage: one step of a recipe. Its fields are its options; records go in, records come out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from synth.frozen import Frozen
from synth.prompt import Prompt
from synth.record import JsonObject, Record, canonical
from synth.services import Services

if TYPE_CHECKING:
    from synth.store.rows import Rows

Leave = Callable[[Sequence[Record]], None]
"""Takes records that leave a stage."""
Chosen = Callable[[int], str | JsonObject]
"""Returns what becomes of the record of a number (from 0, by position): why it is dropped, as
`code: sentence`; "" for one that stays; or fields that are added to one that stays."""


class Stage(Frozen):
    """One step. Write `apply` and you are done; write `apply_batch` where a batch is cheaper.

    A record leaves as itself, as children made by `record.child(services.label, …)`, or as a drop:
    what just vanishes is refused. A malformed reply is a dropped *child* that carries the raw text.
    A field whose name is or ends in `prompt` names a Jinja file beside the recipe; the stage finds
    it, read, in `services.prompts` under the field's name.
    """

    name: ClassVar[str]
    """What a recipe calls it."""
    version: ClassVar[str] = "1"
    """Raised when the same input and replies give other records: finished stage files then no
    longer count."""
    batch: ClassVar[int] = 1
    """How many records `apply_batch` is given at most."""
    sees_all: ClassVar[bool] = False
    """Whether it needs the whole set before it begins: it then writes `apply_all`."""
    chooses: ClassVar[bool] = False
    """Whether it chooses among the whole set by its columns: it then writes `choose`."""
    takes: ClassVar[Literal["anything", "instruction", "reply"]] = "anything"
    """What each record must bring: `synth check` holds the first seed against the first stage."""
    takes_broken: ClassVar[bool] = False
    """Whether a log that breaks off may be a seed, with what stands before that, and the reason in
    its field `broken_turn`; for a recipe's first stage. Else such a row is dropped."""
    default_prompts: ClassVar[dict[str, str]] = {}
    """Option name to the source of the prompt that is used where the recipe names none."""

    @property
    def in_order(self) -> bool:
        """Whether it must see records by position, batch after batch (it may then keep state)."""
        return False

    def engines(self) -> tuple[str, ...]:
        """Return the names of the engines it asks; by default what the field `engine` holds."""
        name = getattr(self, "engine", None)
        return (name,) if isinstance(name, str) else ()

    def needs(self, engine: str) -> frozenset[str]:
        """Return the capabilities (see Engine.capabilities) that one of its engines must have.

        By default to chat.
        """
        return frozenset({"chat"})

    def lacks(self, record: Record) -> str:
        """Return what a record needs here and has not, in words, or ""."""
        if self.takes == "instruction" and not record.instruction.strip():
            return "an instruction: a user turn, or a field `instruction`, `prompt` or `question`"
        if self.takes == "reply" and not record.reply.strip():
            return "a reply: a last turn of the assistant"
        return ""

    @property
    def identity(self) -> str:
        """What its outcome depends on, beside version, prompts and engines.

        By default all options.
        """
        return canonical(self.model_dump(mode="json"))

    def prompt_files(self) -> dict[str, str]:
        """Return option name to file name, for each prompt that the recipe overrides."""
        return {
            field: value
            for field in type(self).model_fields
            if field.split("_")[-1] == "prompt" and isinstance(value := getattr(self, field), str)
        }

    def prompts_used(self) -> Collection[str] | None:
        """Return the names of the prompts that it asks with, which are part of its key; None: all.

        For a stage whose other options decide which prompts matter.
        """
        return None

    def compiled(self, overridden: dict[str, Prompt]) -> dict[str, Prompt]:
        """Return the stage's prompts by option name: the recipe's own, else the defaults."""
        defaults = {
            field: Prompt(source, file=f"{self.name}/{field}")
            for field, source in self.default_prompts.items()
            if field not in overridden
        }
        prompts, used = {**defaults, **overridden}, self.prompts_used()
        return (
            prompts if used is None else {name: prompts[name] for name in prompts if name in used}
        )

    def ready(self) -> None:
        """Raise SynthError if it cannot work on this machine; asked before anything runs."""

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return what becomes of one record. Errors raised here become its drop of kind "error"."""
        raise NotImplementedError(f"{type(self).__name__} must define apply()")

    async def apply_batch(
        self, records: Sequence[Record], services: Services
    ) -> Sequence[Sequence[Record]]:
        """Return what becomes of each record, in order."""
        return [await self.apply(record, services) for record in records]

    async def apply_all(
        self,
        records: Sequence[Record],
        services: Services,
        leave: Leave,
    ) -> None:
        """Make of the whole set, by position, what becomes of it; `leave` what is known at once.

        New records must descend from `records` or from what left before. One of `records` that does
        not leave itself becomes a parent if anything descends from it; else that is refused.
        """
        raise NotImplementedError(f"{type(self).__name__} must define apply_all()")

    async def choose(self, rows: Rows, services: Services) -> Chosen:
        """Return which records of the whole set stay, or what they are given.

        For sets that are too large to hold as records: `rows` gives columns. Must not block the
        event loop for long.
        """
        raise NotImplementedError(f"{type(self).__name__} must define choose()")
