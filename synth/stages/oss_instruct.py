"""Make programming problems from pieces of code that people wrote."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

from pydantic import Field, model_validator

from synth.engine.base import Chat, Sampling
from synth.errors import CallFailed
from synth.frozen import spelled
from synth.prompt import names_of
from synth.record import Message, Record, digest
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.replies import (
    MalformedError,
    answer_in,
    failed_child,
    listed,
    malformed_child,
    reading,
    sections,
)
from synth.stages.parts.shipped import shipped_prompts

T = TypeVar("T")
_PROMPTS = {"magicoder": ("problem_prompt",), "sc2": ("concepts_prompt", "instruction_prompt")}
_PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "sc2": {"max_lines": 150, "sampling": {"temperature": 0.7, "max_tokens": 1536}},
}
_OF_THE_CODE = ("code", "entry_point", "signature", "tests", "test_setup")
_DIFFICULTIES = ("easy", "medium", "hard")


class OssInstruct(Stage):
    """Make problems of snippets of code; the record with the code stays behind as their parent.

    `mode: magicoder`: of each record's code `per_document` snippets of 1 to `max_lines` lines are
    drawn; for each the model writes a problem inspired by it, and a solution. The child has the
    problem as its user turn and the solution as its reply. `mode: sc2`: the snippet is all of the
    code, a function as a rule; the model names the concepts in it, then writes an instruction about
    these concepts, not knowing the snippet, of a difficulty drawn evenly. The child has no reply.

    Fields of a child: `snippet`, `problem`; with `sc2` also `concepts` and `wanted_difficulty`.
    What tells of the record's own code is null: `code`, `entry_point`, `signature`, `tests`,
    `test_setup`.

    Dropped: `repeated_snippet`, `repeated_problem`, `repeated_solution` (an earlier child of this
    stage that was kept has the same, white space apart); `missing_section` (a label is missing, or
    they are in the wrong order), `empty_section`; `copied_snippet` (with `copies: drop`); `no_list`
    (of concepts); `cut_off_…`, `empty_…` and `unfinished_reasoning` of a reply; records as
    `no_code`, or with `sc2` as `long_code`.

    Methods: Wei et al., "Magicoder: Empowering Code Generation with OSS-Instruct" (2024), section 2
    and appendix A, greedy, with one snippet a file and its code's cleaning; unlike there, a snippet
    begins at a line that is not blank. Wei et al., "SelfCodeAlign: Self-Alignment for Code
    Generation" (2024), section 2, whose response with tests is what `write_tests` and `solve` make.
    """

    name: ClassVar[str] = "oss_instruct"
    batch: ClassVar[int] = 256
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("oss_instruct")

    engine: str
    """Name of the engine that writes."""
    mode: Literal["magicoder", "sc2"] = "magicoder"
    """Whether a snippet inspires a problem directly, or by its concepts."""
    of: str = "code"
    """The field with the code; `text` for documents."""
    language: str = "python"
    """The programming language of code and problems, as the prompts name it."""
    per_document: int = Field(default=1, ge=1)
    """Snippets that are drawn of each record's code; with `sc2`, instructions made of it."""
    max_lines: int = Field(default=15, ge=1)
    """Longest snippet; with `sc2` longest code, by default 150 lines."""
    copies: Literal["keep", "drop"] = "keep"
    """What becomes of a solution that holds the whole snippet; kept, as published."""
    sampling: Sampling = Sampling(temperature=0.0, max_tokens=2500)
    """How replies are drawn; with `sc2` by default at temperature 0.7, 1,536 tokens."""
    problem_prompt: str | None = None
    """A Jinja file: shows `snippet`, asks for the sections `Problem:` and `Solution:`."""
    concepts_prompt: str | None = None
    """A Jinja file: shows `snippet`, asks for a list of programming concepts."""
    instruction_prompt: str | None = None
    """A Jinja file: shows `concepts` and `wanted_difficulty`, asks for an instruction alone."""

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, written: Any) -> Any:
        if (given := spelled(written)) is None:
            return written
        return {**_PUBLISHED.get(str(given.get("mode")), {}), **given}

    @property
    def in_order(self) -> bool:
        """Always: of what is said twice the first is kept."""
        return True

    def prompts_used(self) -> tuple[str, ...]:
        """Return the prompts of the mode."""
        return _PROMPTS[self.mode]

    def lacks(self, record: Record) -> str:
        """Return what a record needs: code."""
        return "" if self._code(record).strip() else f"code in the field {self.of!r}"

    async def apply_batch(
        self, records: Sequence[Record], services: Services
    ) -> Sequence[Sequence[Record]]:
        """Return the children of each record, those dropped that repeat an earlier one."""
        async with asyncio.TaskGroup() as group:
            made = [group.create_task(self._made(record, services)) for record in records]
        seen: _Seen = await services.resource(f"snippets|{services.label}", _Seen)
        return [[seen.first_or_drop(row, services.label) for row in one.result()] for one in made]

    async def _made(self, record: Record, services: Services) -> list[Record]:
        code = self._code(record)
        if wrong := self._unfit(code):
            return [record.drop("filter", by=services.label, reason=wrong)]
        async with asyncio.TaskGroup() as group:
            made = [
                group.create_task(_Drawing(self, record, services, number).child(code))
                for number in range(self.per_document)
            ]
        return [child.result() for child in made]

    def _code(self, record: Record) -> str:
        code = record.fields.get(self.of)
        return code if isinstance(code, str) else ""

    def _unfit(self, code: str) -> str:
        if not code.strip():
            return f"no_code: the record has no text in its field {self.of!r}"
        lines = len(code.strip().splitlines())
        if self.mode == "sc2" and lines > self.max_lines:
            return f"long_code: {lines} lines, at most {self.max_lines} are taken"
        return ""


@dataclass(frozen=True, slots=True)
class _Drawing:
    """One snippet, and the child that becomes of it."""

    stage: OssInstruct
    record: Record
    services: Services
    number: int

    async def child(self, code: str) -> Record:
        stage = self.stage
        found: dict[str, Any] = {"snippet": code}
        if stage.mode == "magicoder":
            found["snippet"] = snippet(code, stage.max_lines, self._rng("snippet"))
        try:
            return await (self._solved if stage.mode == "magicoder" else self._by_concepts)(found)
        except CallFailed as failed:
            return failed_child(self.record, self.services, self.number, failed)
        except MalformedError as wrong:
            raw = wrong.raw
            return malformed_child(
                self.record, self.services, self.number, raw, wrong, fields=found
            )

    async def _solved(self, found: dict[str, Any]) -> Record:
        def read(said: str) -> Sequence[str]:
            parts = tuple(sections(said, ("Problem", "Solution")).values())
            if self.stage.copies == "drop" and _bare(found["snippet"]) in _bare(parts[1]):
                raise MalformedError("copied_snippet: the solution holds the whole snippet")
            return parts

        found["problem"], solution = await self._said("problem", found, read)
        return self._new(found, Message(role="assistant", content=solution))

    async def _by_concepts(self, found: dict[str, Any]) -> Record:
        found["concepts"] = await self._said("concepts", found, listed)
        found["wanted_difficulty"] = drawn_difficulty(self._rng("difficulty"))
        found["problem"] = await self._said("instruction", found, str)
        return self._new(found)

    def _new(self, found: Mapping[str, Any], *reply: Message) -> Record:
        asked = Message(role="user", content=found["problem"])
        return self.record.child(
            self.services.label,
            self.number,
            messages=(asked, *reply),
            fields={**_emptied(self.record), **found},
        )

    async def _said(self, step: str, found: Mapping[str, Any], read: Callable[[str], T]) -> T:
        names = names_of(self.record, **{"language": self.stage.language, **found})
        said = await self.services.complete(
            self.stage.engine,
            Chat(self.services.prompts[f"{step}_prompt"].render(names)),
            self.stage.sampling,
            self.record,
            step=step,
            sample=self.number,
        )
        with reading(said.text):
            return read(answer_in(said, step))

    def _rng(self, what: str) -> random.Random:
        return self.services.rng(self.record, what, str(self.number))


def _emptied(record: Record) -> dict[str, None]:
    """Return the fields that tell of the record's own code, which is not that of its problems."""
    return {field: None for field in _OF_THE_CODE if field in record.fields}


class _Seen:
    """What the children so far say, without white space."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def first_or_drop(self, child: Record, label: str) -> Record:
        """Return a child, dropped if it says what an earlier one says; of a drop nothing counts."""
        if child.state != "live":
            return child
        said = {what: digest(what, _bare(text)) for what, text in _compared(child)}
        for what, text in said.items():
            if text in self._said:
                reason = f"repeated_{what}: an earlier record has the same {what}"
                return child.drop("filter", by=label, reason=reason)
        self._said.update(said.values())
        return child


def _compared(child: Record) -> list[tuple[str, str]]:
    """Return what must not repeat; instructions by way of concepts may share their snippet."""
    if not child.reply:
        return [("problem", child.instruction)]
    snippet = str(child.fields["snippet"])
    return [("snippet", snippet), ("problem", child.instruction), ("solution", child.reply)]


def snippet(code: str, most: int, rng: random.Random) -> str:
    """Return 1 to `most` consecutive lines of a code that is not blank.

    It begins at a line that is not blank, and ends with the code at the latest; each such line, and
    each number of lines, is as likely as any other.
    """
    lines = code.splitlines()
    start = rng.choice([number for number, line in enumerate(lines) if line.strip()])
    return "\n".join(lines[start : start + rng.randint(1, most)]).rstrip()


def drawn_difficulty(rng: random.Random) -> str:
    """Return easy, medium or hard, each as likely as any other."""
    return rng.choice(_DIFFICULTIES)


def _bare(text: str) -> str:
    return "".join(text.split())
