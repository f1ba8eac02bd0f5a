"""Code that passes its tests, run where it can do no harm and see no answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from synth import Record, Sandbox, Verdict, Verifier

from .code_of import REASONS, Block, code_of, no_code_in
from .suites import Comparing, Outcomes, Suite, Values


class UnitTests(Verifier):
    """The record's code passes more than `min_pass_rate` of its tests, in a sandbox.

    The code is the field `code`, else the only fenced block of the reply. Tests are the field
    `tests`: a list of `{args, kwargs, expected}` for the function that the field `entry_point`
    names (a dotted path for a method; `raises` in place of `expected` names an exception), of
    `{stdin, stdout}` for a program, or of `{source}` for asserts and pytest functions, one test
    each; or one text, of which every assert is a test. The field `test_setup` is run before test
    source. Expected values never enter the process of the code.

    `failed_tests`: too few passed; the sentence tells the first that did not, and how.
    `no_entry_point`: the code does not define it. `does_not_compile`: it is no code of the
    language. `missing_module`: it imports what the sandbox's environment lacks. `no_code`,
    `several_blocks`, `cut_off_code`: there is no code to run. Not judged: `no_tests`,
    `unreadable_tests`, `no_entry_point_named`. Where the sandbox itself fails there is no verdict
    but an error.

    Score is the pass rate. Evidence: `passed`, `total`, `tests` (one word each: pass fail error
    timeout memory crash output_limit early_exit killed), `first_failure`, `isolation` (ns,
    container, lsm, none), `integrity` (strong; weak where the code shared a process with tests that
    could not be split from it).

    Executing what a model wrote before it may teach another: Chen et al., "Evaluating Large
    Language Models Trained on Code" (2021), section 2.3.
    """

    name: ClassVar[str] = "unit_tests"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (
        *REASONS,
        "failed_tests",
        "does_not_compile",
        "missing_module",
        "no_entry_point",
        "weak_integrity",
        "no_tests",
        "unreadable_tests",
        "no_entry_point_named",
    )

    code: str = "code"
    """The field with the code; where a record has none, its reply's fenced block counts."""
    block: Block = "only"
    """Which of a reply's blocks: the `only` one, or the `last`."""
    tests: str = "tests"
    """The field with the tests."""
    min_pass_rate: float = Field(0.95, ge=0, lt=1)
    """A record passes when strictly more than this share of its tests pass (19 of 20 do not)."""
    values: Values = "json"
    """How `args` and `expected` are spelled: as JSON, or each as the text of a Python literal."""
    tolerance: float = Field(0.0, ge=0, lt=1)
    """How far a float may be off, as a share of the greater number, or of 1."""
    stdout: Literal["lines", "tokens", "exact"] = "lines"
    """How printed output is compared: `lines` forgives white space at their ends."""
    min_integrity: Literal["weak", "strong"] = "weak"
    """Whether tests that cannot be split from the code count (`weak_integrity` where not)."""
    sandbox: Sandbox = Sandbox()
    """Limits, isolation, language and packages."""

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
        language = self.sandbox.language
        try:
            code = code_of(record, self.code, block=self.block, language=language)
        except ValueError as error:
            return no_code_in(record, self.code, error)
        return self._judged(suite.outcomes(code, self.sandbox))

    def _judged(self, found: Outcomes) -> Verdict:
        rate = found.passed / len(found.tests)
        evidence: dict[str, Any] = {
            "passed": found.passed,
            "total": len(found.tests),
            "tests": [test.word for test in found.tests],
            "first_failure": found.first_failure,
            "isolation": found.isolation,
            "integrity": found.integrity,
        }
        if rate <= self.min_pass_rate:
            code, sentence = _why(found)
            return Verdict.failed(code, sentence, score=rate, evidence=evidence)
        if found.integrity == "weak" and self.min_integrity == "strong":
            sentence = "the tests share a process with the code"
            return Verdict.failed("weak_integrity", sentence, score=rate, evidence=evidence)
        return Verdict.passed(score=rate, evidence=evidence)


def _why(found: Outcomes) -> tuple[str, str]:
    """Return the reason of a failed suite: of what kept every test from running, if anything."""
    said = {test.message for test in found.tests}
    raised, _, told = (said.pop() if len(said) == 1 else "").partition(": ")
    match raised:
        case "NoEntryPointError":
            return "no_entry_point", told
        case "SyntaxError" | "IndentationError" | "TabError":
            return "does_not_compile", told
        case "ModuleNotFoundError":
            told = (
                f"{told}: name a virtual environment that has it in `sandbox: {{environment: …}}`"
            )
            return "missing_module", told
        case _:
            counted = f"{found.passed} of {len(found.tests)} passed"
            return "failed_tests", f"{counted}; {found.first_failure}"
