"""Have a model solve programming problems, several times each, and hold solutions against tests."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from synth.answers.blocks import CodeBlock
from synth.engine.base import Chat, Sampling
from synth.errors import CallFailed
from synth.frozen import spelled
from synth.prompt import names_of
from synth.record import Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.conversation import question_of
from synth.stages.parts.cross_check import CrossCheck, checked, difficulty
from synth.stages.parts.entry_points import EntryPoint, entry_point_of
from synth.stages.parts.python_code import defines, parsed
from synth.stages.parts.reasoning import turn_of
from synth.stages.parts.replies import MalformedError, failed_child, malformed_child, whole_reply
from synth.stages.parts.shipped import shipped_prompts
from synth.stages.parts.test_source import single_tests
from synth.stages.verify import Judges, judged

_AUTOIF = {"least_solutions": 3, "least_tests": 10}
_PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "kodcode": {"n": 10, "cross_check": {"min_solutions": None, "min_tests": 1.0}},
    "autoif": {"n": 8, "cross_check": {"min_solutions": 0.0, "min_tests": 0.8, **_AUTOIF}},
    "autoif_paper": {
        "n": 8,
        "cross_check": {"min_solutions": 0.5, "min_tests": 0.5, "strict": True, **_AUTOIF},
    },
}


class Solve(Stage):
    """Make `n` children of a problem, each with a solution: a reply, and its code as field `code`.

    The function to define is the record's field `entry_point`, or the only public one of its code;
    its signature is shown too, where it is known. A reply must hold one fenced block.

    `verifiers` judge the solutions. With `cross_check` one of them must tell in its evidence, as
    `unit_tests` does, what each test came to: tests that too few solutions pass are taken out of
    the field `tests`, then solutions that pass too few of the others are dropped, as if by that
    verifier (so `export: dpo` pairs them); see its options. Tests that are one text are cut into
    single ones for it. The children's fields `suspect_tests` and `pass_rate` tell the outcome.

    `mode` sets `n` and `cross_check` as published. `kodcode`: ten solutions, of which those stay
    that pass all tests; the field `difficulty` is easy above a `pass_rate` of 2/3, hard below 1/3,
    else medium. `autoif`, as in the authors' code: a test stays that any solution passes, a
    solution that passes at least 0.8 of them; at least 10 tests and 3 different solutions.
    `autoif_paper`, as in the paper: each more than 0.5. Both draw 8 unless `n` is given.

    Dropped: `no_code`, `several_blocks`, `cut_off_code`, `does_not_compile`, `no_entry_point` (the
    code does not define it at its top level), `empty_code`, `unfinished_reasoning`; by
    `cross_check`: `rejected_by_tests`, `suspect_solution`, `suspect_tests`, `no_agreement`,
    `not_judged`; problems whose tests cannot be cut as `single_tests` says, or `no_tests`.

    Methods: Chen et al., "Evaluating Large Language Models Trained on Code" (2021), section 3.3
    (temperature 0.8 and top p 0.95 where many samples are drawn); Xu et al., "KodCode: A Diverse,
    Challenging, and Verifiable Synthetic Dataset for Coding" (2025), section 2 (whose attempts
    write their tests anew); Dong et al., "Self-play with Execution Feedback" (2024), section 3
    (AutoIF, there of verification functions).
    """

    name: ClassVar[str] = "solve"
    takes: ClassVar = "instruction"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("solve")

    engine: str
    """Name of the engine that solves."""
    mode: Literal["own", "kodcode", "autoif", "autoif_paper"] = "own"
    """Where `n` and `cross_check` come from, as far as they are not given."""
    n: int = Field(default=1, ge=1)
    """Solutions of each problem."""
    language: str = "python"
    """What the block must be tagged with; only Python is read before it is run."""
    sampling: Sampling = Sampling(temperature=0.8, top_p=0.95, max_tokens=4096)
    """How solutions are drawn."""
    prompt: str | None = None
    """A Jinja file; it is given `entry_point`, `signature` (both may be empty) and `language`."""
    conversation: Literal["record", "prompt"] = "record"
    """What the reply is joined to: the record's question, or the rendered prompt."""
    verifiers: Judges = None
    """What judges solutions, spelled as in the stage `verify`."""
    cross_check: CrossCheck | None = None
    """How solutions and tests are held against each other; by default not at all."""

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, written: Any) -> Any:
        given = spelled(written)
        published = _PUBLISHED.get(str(given.get("mode"))) if given else None
        if given is None or published is None:
            return written
        own = spelled(given.get("cross_check")) or {}
        return {**published, **given, "cross_check": {**published["cross_check"], **own}}

    @model_validator(mode="after")
    def _can_be_checked(self) -> Self:
        if self.cross_check is None:
            return self
        by, uses = self.cross_check.by, self.verifiers.verifiers if self.verifiers else ()
        policies = {use.label: use.on_fail for use in uses}
        if by not in policies:
            named = ", ".join(policies) or "none"
            raise ValueError(f"`cross_check` wants `by` to be a label in `verifiers` ({named})")
        if policies[by] != "keep":
            why = "a solution that is dropped before cannot speak against a test"
            raise ValueError(f"`cross_check` wants `on_fail: keep` for {by!r}: {why}")
        if self.n < max(2, self.cross_check.least_solutions):
            raise ValueError(f"`cross_check` wants more solutions than `n: {self.n}`")
        return self

    def engines(self) -> tuple[str, ...]:
        """Return the engine that solves, and those that the verifiers ask."""
        asked = self.verifiers.engines() if self.verifiers else ()
        return tuple(dict.fromkeys((self.engine, *asked)))

    def needs(self, engine: str) -> frozenset[str]:
        """Return that the engine that solves must chat."""
        return super().needs(engine) if engine == self.engine else frozenset()

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the solutions, judged, or the record dropped for its tests."""
        if not record.instruction.strip():
            raise ValueError("nothing_to_solve: the record has no instruction")
        try:
            tests = self._tests(record)
        except MalformedError as wrong:
            return [record.drop("filter", by=services.label, reason=str(wrong))]
        solving = _Solving(self, record, services, entry_point_of(record), tests)
        async with asyncio.TaskGroup() as group:
            made = [group.create_task(solving.child(number)) for number in range(self.n)]
        return await self._judged([child.result() for child in made], tests, services)

    def _tests(self, record: Record) -> list[Any]:
        """Return the tests to check, each by itself. Raises MalformedError if there are none."""
        tests = record.fields.get("tests")
        if self.cross_check is None:
            return []
        if isinstance(tests, str) and tests.strip():
            name = entry_point_of(record).name
            return [{"source": source} for source in single_tests(tests, name)]
        if not isinstance(tests, list) or not tests:
            raise MalformedError("no_tests: `cross_check` wants a list in the field 'tests'")
        return [*tests]

    async def _judged(
        self, children: list[Record], tests: list[Any], services: Services
    ) -> list[Record]:
        if self.verifiers:
            children = await judged(children, self.verifiers, services)
        if self.cross_check:
            children = checked(children, tests, self.cross_check, services.label)
        if self.mode == "kodcode":
            children = [_labelled(child) for child in children]
        return children


def _labelled(child: Record) -> Record:
    rate = child.fields.get("pass_rate")
    if not isinstance(rate, float) or "suspect_tests" not in child.fields:
        return child
    return child.adding({"difficulty": difficulty(rate)})


@dataclass(frozen=True, slots=True)
class _Solving:
    """One problem on its way to its solutions."""

    stage: Solve
    record: Record
    services: Services
    called: EntryPoint
    tests: list[Any]

    async def child(self, number: int) -> Record:
        prompt = self.services.prompts["prompt"].render(
            names_of(
                self.record,
                entry_point=self.called.name,
                signature=self.called.signature,
                language=self.stage.language,
            )
        )
        kept = prompt if self.stage.conversation == "prompt" else question_of(self.record)
        try:
            said = await self.services.complete(
                self.stage.engine, Chat(prompt), self.stage.sampling, self.record, sample=number
            )
        except CallFailed as failed:
            return failed_child(self.record, self.services, number, failed, messages=kept)
        try:
            text, reasoning = whole_reply(said, "code")
            code = self._code(text)
        except MalformedError as wrong:
            return malformed_child(
                self.record, self.services, number, said.text, wrong, messages=kept
            )
        fields: dict[str, Any] = {"code": code, **({"tests": self.tests} if self.tests else {})}
        messages = (*kept, turn_of(text, reasoning))
        return self.record.child(self.services.label, number, messages=messages, fields=fields)

    def _code(self, text: str) -> str:
        """Return the code of a reply. Raises MalformedError if it cannot be what was asked for."""
        try:
            code = CodeBlock.only_in(text, self.stage.language).code
        except ValueError as error:
            raise MalformedError(str(error)) from error
        if self.stage.language == "python":
            tree, name = parsed(code), self.called.name
            if name and not defines(tree, name):
                raise MalformedError(f"no_entry_point: the code does not define {name!r}")
        return code
