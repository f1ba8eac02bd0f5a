"""Python code that compiles, that ruff finds no error in, and that imports nothing forbidden."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from pydantic import Field, model_validator

from synth import Record, Verdict, Verifier

from .code_of import REASONS, Block, code_of, no_code_in
from .forbidden import Found, forbidden_calls, forbidden_imports
from .lint import Complaint, lint, refused_rules
from .python_source import parsed

REACHES_OUT = (
    *("os", "posix", "nt", "shutil", "pty", "signal", "subprocess", "multiprocessing"),
    *("socket", "socketserver", "ssl", "http", "urllib.request", "ftplib", "smtplib", "imaplib"),
    *("poplib", "telnetlib", "xmlrpc", "requests", "httpx", "aiohttp", "ctypes"),
)
"""Modules that reach files, processes, the network or foreign code."""
ERRORS = ("E9", "F50", "F52", "F62", "F63", "F7", "F811", "F82", "PLE")
"""Ruff's rules for what is wrong whatever the style: names that are nowhere defined (F82), formats
that do not fit (F50, F52), a definition that another replaces unused (F811), `is` with a literal
(F63), and pylint's errors (PLE)."""
_SHOWN = 20


class StaticPython(Verifier):
    """The code compiles, ruff finds no error in it, and it imports nothing forbidden.

    The code is the record's field, else the only fenced block of its reply; it is read, never run.
    `no_code`, `several_blocks`, `cut_off_code`: there is no such code. `does_not_compile`: the
    Python that runs synth refuses it, as it does prose in the block. `forbidden_import`,
    `forbidden_call`: it makes one, in any scope, under any alias, or by `__import__` and
    `importlib.import_module` with a literal name. `lint`: ruff complains, whatever a `# noqa` says.
    A record without field and reply is not judged.

    What it finds is what the text shows: code that hides an import (`getattr`, a name put together)
    passes. It keeps needless things out of a dataset; what makes running code harmless is the
    sandbox. Evidence lists at most 20 findings, each with its line.
    """

    name: ClassVar[str] = "static_python"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (
        *REASONS,
        "does_not_compile",
        "forbidden_import",
        "forbidden_call",
        "lint",
    )

    code: str = "code"
    """The field with the code; where a record has none, its reply's fenced block counts."""
    block: Block = "only"
    """Which of a reply's blocks: the `only` one, or the `last`."""
    ruff: tuple[str, ...] = ERRORS
    """Codes of ruff's rules, or their beginnings; none: ruff is not asked, nor needed."""
    forbidden_imports: tuple[str, ...] = REACHES_OUT
    """Modules that must not be imported, nor anything below them (`os` is also `os.path`)."""
    forbidden_calls: tuple[str, ...] = Field((), examples=[["eval", "exec", "pickle.loads"]])
    """Functions that must not be called: builtins, or dotted names such as `pickle.loads`."""

    @model_validator(mode="after")
    def _ruff_knows_the_rules(self) -> Self:
        if self.ruff and (refused := refused_rules(self.ruff)):
            raise ValueError(refused)
        return self

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record; ruff is asked once for all that reach it."""
        verdicts: dict[int, Verdict] = {}
        codes: dict[int, str] = {}
        for place, record in enumerate(records):
            try:
                code = code_of(record, self.code, block=self.block)
            except ValueError as error:
                verdicts[place] = no_code_in(record, self.code, error)
                continue
            if wrong := self._wrong(code):
                verdicts[place] = wrong
            else:
                codes[place] = code
        verdicts |= zip(codes, self._linted(list(codes.values())), strict=True)
        return [verdicts[place] for place in range(len(records))]

    def _wrong(self, code: str) -> Verdict | None:
        """Return why the code fails before ruff is asked, if it does."""
        try:
            tree = parsed(code)
        except ValueError as error:
            return Verdict.failed(*str(error).split(": ", 1))
        if imports := forbidden_imports(tree, self.forbidden_imports):
            return _failed("forbidden_import", "imports", imports)
        if calls := forbidden_calls(tree, self.forbidden_calls):
            return _failed("forbidden_call", "calls", calls)
        return None

    def _linted(self, codes: Sequence[str]) -> list[Verdict]:
        if not self.ruff:
            return [Verdict.passed() for _ in codes]
        return [
            Verdict.failed(
                "lint",
                f"line {complaints[0].line}: {complaints[0].message} ({complaints[0].rule})",
                evidence=_evidence(complaints),
            )
            if complaints
            else Verdict.passed()
            for complaints in lint(codes, self.ruff)
        ]


def _failed(code: str, does: str, found: Sequence[Found]) -> Verdict:
    said = f"line {found[0].line}: the code {does} {found[0].name!r}"
    return Verdict.failed(code, said, evidence=_evidence(found))


def _evidence(found: Sequence[Found] | Sequence[Complaint]) -> dict[str, list[dict[str, object]]]:
    return {"found": [one._asdict() for one in found[:_SHOWN]]}
