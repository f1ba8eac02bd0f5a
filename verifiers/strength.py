"""Tests that find the mistakes put into a solution: weak ones prove nothing about it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from synth import Record, Sandbox, Verdict, Verifier

from .code_of import REASONS, Block, code_of, no_code_in
from .mutants import mutants_of
from .suites import Comparing, Suite, Values

_SHOWN = 5
_SLOWER = 4


class TestStrength(Verifier):
    """The record's tests tell its solution from programs with one small mistake put in.

    The solution (the field `code`, else the only fenced block of the reply) must pass all tests. Of
    it mutants are made: a stub that returns None, then changes of one comparison, number, return
    value, statement … each. A mutant is killed when any test does not pass, be it by a wrong value,
    an error or a limit. `weak_tests`: less than `min_killed` of them are killed. `solution_fails`:
    the solution itself does not pass. `no_code`, `several_blocks`, `cut_off_code`: there is none.
    Not judged: `no_mutants` (it offers less than `min_mutants`), `no_tests`, `unreadable_tests`,
    `no_entry_point_named`. Where the sandbox itself fails there is no verdict but an error.

    Some mutants do the same as the solution whatever the input, and nobody can tell which: so not
    even perfect tests kill all, and `min_killed` leaves room for them. Of up to ten mutants of each
    solution in HumanEval its tests kill 93 %, and at least 0.7 in 97 % of the problems.

    Score is the share that was killed. Evidence: `killed`, `total`, and up to five `survivors`
    (each with the operator and the line of the solution that was changed), `isolation`.

    Mutation: DeMillo, Lipton and Sayward, "Hints on Test Data Selection" (1978); Jia and Harman,
    "An Analysis and Survey of the Development of Mutation Testing" (2011).
    """

    name: ClassVar[str] = "test_strength"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (
        *REASONS,
        "weak_tests",
        "solution_fails",
        "no_mutants",
        "no_tests",
        "unreadable_tests",
        "no_entry_point_named",
    )

    code: str = "code"
    """The field with the solution; where a record has none, its reply's fenced block counts."""
    block: Block = "only"
    """Which of a reply's blocks: the `only` one, or the `last`."""
    tests: str = "tests"
    """The field with the tests."""
    mutants: int = Field(10, ge=1, le=200)
    """Most mutants that are made and run."""
    min_mutants: int = Field(3, ge=1)
    """Least number of mutants that a share is told of."""
    min_killed: float = Field(0.7, ge=0, le=1)
    """Least share of the mutants that the tests must kill."""
    values: Values = "json"
    """How `args` and `expected` are spelled, as for `unit_tests`."""
    tolerance: float = Field(0.0, ge=0, lt=1)
    """How far a float may be off, as for `unit_tests`."""
    stdout: Literal["lines", "tokens", "exact"] = "lines"
    """How printed output is compared, as for `unit_tests`."""
    mutant_cpu_s: int = Field(1, ge=1)
    """CPU time of a mutant, in seconds: many run for ever. Where the solution takes more than a
    fourth of it, mutants get as much as the solution may take."""
    sandbox: Sandbox = Sandbox()
    """Limits, isolation and packages, as for `unit_tests`."""

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.sandbox.language != "python":
            found = self.sandbox.language
            raise ValueError(f"only Python can be mutated, not {found!r} (`sandbox.language`)")
        if self.min_mutants > self.mutants:
            raise ValueError(
                f"`min_mutants` ({self.min_mutants}) is more than `mutants` ({self.mutants})"
            )
        return self

    def ready(self) -> None:
        """Start the sandbox, which proves itself. Raises SandboxUnavailable."""
        assert self.sandbox.isolation

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict:
        comparing = Comparing(self.values, self.tolerance, self.stdout)
        try:
            suite = Suite.read(record.fields, tests=self.tests, comparing=comparing)
        except ValueError as error:
            return Verdict.abstained(*str(error).split(": ", 1))
        try:
            code = code_of(record, self.code, block=self.block)
        except ValueError as error:
            return no_code_in(record, self.code, error)
        started = time.perf_counter()
        found = suite.outcomes(code, self.sandbox)
        if found.first_failure:
            said = f"the solution itself does not pass {found.first_failure}"
            evidence = {"isolation": found.isolation}
            return Verdict.failed("solution_fails", said, evidence=evidence)
        return self._judged(suite, code, time.perf_counter() - started)

    def _judged(self, suite: Suite, code: str, seconds: float) -> Verdict:
        mutants = mutants_of(code, suite.entry_point, most=self.mutants)
        if len(mutants) < self.min_mutants:
            said = f"the solution offers {len(mutants)}, wants at least {self.min_mutants}"
            return Verdict.abstained("no_mutants", said)
        sandbox = self._for_mutants(seconds)
        alive = [mutant for mutant in mutants if suite.passes(mutant.code, sandbox)]
        killed = len(mutants) - len(alive)
        share = killed / len(mutants)
        evidence: dict[str, Any] = {
            "killed": killed,
            "total": len(mutants),
            "survivors": [
                {"operator": mutant.operator, "line": mutant.line} for mutant in alive[:_SHOWN]
            ],
            "isolation": sandbox.isolation,
        }
        if share >= self.min_killed:
            return Verdict.passed(score=share, evidence=evidence)
        first = f"the first left is a {alive[0].operator} in line {alive[0].line}"
        said = f"the tests kill {killed} of {len(mutants)} mutants; {first}"
        return Verdict.failed("weak_tests", said, score=share, evidence=evidence)

    def _for_mutants(self, seconds: float) -> Sandbox:
        """Return the sandbox for mutants of a solution that took `seconds`."""
        if _SLOWER * seconds > self.mutant_cpu_s or self.mutant_cpu_s >= self.sandbox.cpu_s:
            return self.sandbox
        return self.sandbox.model_copy(update={"cpu_s": self.mutant_cpu_s})
