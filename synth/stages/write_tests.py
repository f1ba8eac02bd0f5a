"""Have a model write tests for a programming problem: what decides later which code is right."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple

from pydantic import Field

from synth.engine.base import Chat, Sampling
from synth.errors import CallFailed
from synth.prompt import names_of
from synth.record import Record, canonical
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.entry_points import (
    EntryPoint,
    code_of,
    entry_point_named,
    entry_point_of,
)
from synth.stages.parts.replies import (
    MalformedError,
    answer_in,
    failed_child,
    malformed_child,
    reading,
)
from synth.stages.parts.shipped import shipped_prompts
from synth.stages.parts.written_tests import Kind, Test, tests_in


class WriteTests(Stage):
    """Make a child of each problem, with the tests that a model wrote for it.

    `kind: asserts` asks for a fenced block of Python asserts or test functions; each becomes a test
    of its own, with the imports and names that it needs, as `{source}`. `inputs_outputs` asks for a
    JSON list of `{args, kwargs, expected}` (or `raises`), `programs` for one of `{stdin, stdout}`.
    The list is the child's field `tests`, in which none stands twice; the field `entry_point` names
    the function that they call, and `signature` tells how it is called, where that is known. Which
    function it is says the record's field `entry_point`, else its code (the field `code`, or the
    only block of its reply) if it has one public function, else the model, in a line
    `Function: name(…)`; all suites must name the same as the first.

    Each of `suites` is a call of its own; their tests are joined. The child of a problem has the
    number 0; a suite that cannot be used is a dropped child with the numbers from 1.

    Dropped: `no_tests`, `several_blocks`, `cut_off_tests`, `empty_tests`, `unfinished_reasoning`,
    `unreadable_tests` (not in the form asked for), `tests_do_not_compile`, `no_assert`,
    `own_solution` (they define the function themselves), `no_entry_point_named`,
    `wrong_entry_point` (they call another function); problems as `few_tests`.

    Methods: Dong et al., "Self-play with Execution Feedback: Improving Instruction-following
    Capabilities of Large Language Models" (2024), section 3 (several suites, joined); Ahmad et al.,
    "OpenCodeInstruct: A Large-scale Instruction Tuning Dataset for Code LLMs" (2025) (ten tests).
    """

    name: ClassVar[str] = "write_tests"
    takes: ClassVar = "instruction"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("write_tests")

    engine: str
    """Name of the engine that writes."""
    kind: Kind = "asserts"
    """The form of the tests: Python source, arguments with results, or input with output."""
    n: int = Field(default=10, ge=1)
    """Tests that each suite is asked for."""
    suites: int = Field(default=1, ge=1)
    """How many times tests are asked for."""
    min_tests: int = Field(default=3, ge=1)
    """Least number of different tests of a problem."""
    show_solution: bool = False
    """Whether the model sees the record's code, if there is any: tests written with it before one's
    eyes test what it does, be that right or wrong."""
    sampling: Sampling = Sampling(temperature=0.7, max_tokens=4096)
    """How suites are drawn."""
    asserts_prompt: str | None = None
    """A Jinja file; it is given `n`, `entry_point`, `signature` and `solution`, which may be empty.
    Asks for a line `Function: …` where there is no `entry_point`, and a fenced block."""
    inputs_outputs_prompt: str | None = None
    """A Jinja file, given the same; asks for such a line too, and a JSON list."""
    programs_prompt: str | None = None
    """A Jinja file, given the same; asks for a JSON list."""

    def prompts_used(self) -> tuple[str, ...]:
        """Return the prompt of the kind."""
        return (f"{self.kind}_prompt",)

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the problem's child with its tests, and the suites that could not be used."""
        if not record.instruction.strip():
            raise ValueError("nothing_to_test: the record has no instruction")
        writing = _Writing(self, record, services)
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(writing.suite(number)) for number in range(self.suites)]
        return writing.rows([task.result() for task in asked])


class _Suite(NamedTuple):
    """The tests of one reply that could be read."""

    raw: str
    called: EntryPoint
    tests: list[Test]


class _Writing:
    """The suites of one record."""

    def __init__(self, stage: WriteTests, record: Record, services: Services) -> None:
        self._stage = stage
        self._record = record
        self._services = services
        self._known = entry_point_of(record) if stage.kind != "programs" else EntryPoint()

    async def suite(self, number: int) -> _Suite | Record:
        """Return a suite, or the dropped child that it is."""
        try:
            return await self._read(number)
        except CallFailed as failed:
            return failed_child(self._record, self._services, number + 1, failed)
        except MalformedError as wrong:
            return self._dropped(number, wrong.raw, wrong)

    def rows(self, suites: Sequence[_Suite | Record]) -> list[Record]:
        """Return the problem's child, if any suite could be read, and those that could not."""
        rows: list[Record] = []
        tests: dict[str, Test] = {}
        called = self._known
        for number, suite in enumerate(suites):
            if isinstance(suite, Record):
                rows.append(suite)
            elif called.name and suite.called.name != called.name:
                wrong = f"wrong_entry_point: {suite.called.name!r}, another suite {called.name!r}"
                rows.append(self._dropped(number, suite.raw, wrong))
            else:
                called = suite.called
                tests |= {canonical(test): test for test in suite.tests}
        return [*self._child(called, list(tests.values())), *rows]

    def _child(self, called: EntryPoint, tests: list[Test]) -> list[Record]:
        if not tests:
            return []
        named = {"entry_point": called.name, "signature": called.signature}
        fields: dict[str, Any] = {"tests": tests}
        fields |= {field: value for field, value in named.items() if value}
        child = self._record.child(self._services.label, 0, fields=fields)
        if len(tests) < self._stage.min_tests:
            reason = f"few_tests: {len(tests)} different ones, wants {self._stage.min_tests}"
            return [child.drop("filter", by=self._services.label, reason=reason)]
        return [child]

    async def _read(self, number: int) -> _Suite:
        said = await self._said(number)
        with reading(said.text):
            text = answer_in(said, "tests")
            called = self._known
            if not called.name and self._stage.kind != "programs":
                called = entry_point_named(text)
            return _Suite(said.text, called, tests_in(text, self._stage.kind, called.name))

    async def _said(self, number: int) -> Any:
        names = names_of(
            self._record,
            n=self._stage.n,
            entry_point=self._known.name,
            signature=self._known.signature,
            solution=code_of(self._record) if self._stage.show_solution else "",
        )
        prompt = self._services.prompts[f"{self._stage.kind}_prompt"]
        return await self._services.complete(
            self._stage.engine,
            Chat(prompt.render(names)),
            self._stage.sampling,
            self._record,
            step="tests",
            sample=number,
        )

    def _dropped(self, number: int, raw: str, wrong: str | MalformedError) -> Record:
        return malformed_child(self._record, self._services, number + 1, raw, wrong)
