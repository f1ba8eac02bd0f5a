"""Code that runs to its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from synth import Record, Sandbox, Verdict, Verifier

from .code_of import REASONS, Block, code_of, no_code_in


class Runs(Verifier):
    """The record's code executes without an error, as a program, in a sandbox.

    The code is the field `code`, else the only fenced block of the reply; the field `stdin` is its
    input, if the record has one. `does_not_run`: it raised, or a limit ended it; the sentence tells
    which. `no_code`, `several_blocks`, `cut_off_code`: there is no code to run. `silent`: with
    `prints`, it printed nothing. Where the sandbox itself fails there is no verdict but an error.
    Evidence: `outcome`, `isolation`, and what it printed, up to 2,000 characters.
    """

    name: ClassVar[str] = "runs"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (*REASONS, "does_not_run", "silent")

    code: str = "code"
    """The field with the code; where a record has none, its reply's fenced block counts."""
    block: Block = "only"
    """Which of a reply's blocks: the `only` one, or the `last`."""
    prints: bool = False
    """Whether it must print something."""
    sandbox: Sandbox = Sandbox()
    """Limits, isolation, language and packages."""

    def ready(self) -> None:
        """Start the sandbox, which proves itself. Raises SandboxUnavailable."""
        assert self.sandbox.isolation

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict:
        try:
            code = code_of(record, self.code, block=self.block, language=self.sandbox.language)
        except ValueError as error:
            return no_code_in(record, self.code, error)
        stdin = record.fields.get("stdin")
        ran = self.sandbox.run(code, stdin if isinstance(stdin, str) else "")
        [result] = ran.results
        evidence = {
            "outcome": result.outcome,
            "isolation": ran.isolation,
            "stdout": ran.stdout[:2000],
        }
        if result.outcome != "returned":
            said = f"{result.outcome}: {result.message}"
            return Verdict.failed("does_not_run", said, evidence=evidence)
        if self.prints and not ran.stdout.strip():
            return Verdict.failed("silent", "the program printed nothing", evidence=evidence)
        return Verdict.passed(evidence=evidence)
