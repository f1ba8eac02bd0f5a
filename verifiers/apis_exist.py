"""Python code whose imports, attributes and keyword arguments exist in the installed packages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Self

from pydantic import PrivateAttr, model_validator

from synth import Record, Sandbox, Verdict, Verifier

from .api_answers import Answer, Answers, said
from .api_uses import Use, uses
from .code_of import REASONS, Block, code_of, no_code_in
from .python_source import parsed

_MISSING = ("missing_module", "missing_attribute", "unknown_keyword", "too_many_arguments")
_UNKNOWN = "unknown_package"
_SHOWN = 20


class _Resolved(NamedTuple):
    use: Use
    answer: Answer


class ApisExist(Verifier):
    """Each module, attribute and keyword argument that the code uses exists where it is installed.

    Known are the standard library and the builtins of the sandbox's Python, and the packages that
    the recipe names, in its environment. The code is the record's field, else the only fenced block
    of its reply; it is read, never run. Packages are imported in the sandbox.

    `missing_module`, `missing_attribute`: an import, or a name with dots that begins at an import,
    a builtin or a literal, that is not there. `unknown_keyword`, `too_many_arguments`: a call that
    the function's signature does not allow. `does_not_compile`, `no_code`, `several_blocks`,
    `cut_off_code`: there is nothing to check.

    Only what the text proves fails. Skipped are names that are bound twice, values whose class is
    unknown, signatures that cannot be read or that take any keyword, imports within
    `try … except ImportError`, blocks under `hasattr` or a test of a version or platform, modules
    of another system, and packages that fail while they are imported. Not judged
    (`unknown_package`): code without a fault that also imports what is neither the standard library
    nor named; (`nothing_resolved`): code that uses something, all of which was skipped. Code that
    uses nothing passes. What exists only on another system (`os.startfile`) or in another version
    of Python counts as missing.

    Evidence: `resolved`, `skipped` (numbers of uses) and `missing`, at most 20 of them with lines.
    """

    name: ClassVar[str] = "apis_exist"
    version: ClassVar[str] = "1"
    reasons: ClassVar[tuple[str, ...]] = (
        *REASONS,
        *_MISSING,
        "does_not_compile",
        "unknown_package",
        "nothing_resolved",
    )

    packages: tuple[str, ...] = ()
    """Distributions, or names to import, that code may use beside the standard library."""
    code: str = "code"
    """The field with the code; where a record has none, its reply's fenced block counts."""
    block: Block = "only"
    """Which of a reply's blocks: the `only` one, or the `last`."""
    sandbox: Sandbox = Sandbox()
    """Where packages are imported; its `environment` is the folder of their virtual environment."""

    _answers: Answers | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _has_an_environment(self) -> Self:
        if self.packages and not self.sandbox.environment.name:
            raise ValueError(
                "`packages` need `sandbox: {environment: …}`, the folder of the virtual "
                "environment that they are installed in"
            )
        return self

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record; the sandbox is asked once for all of them.

        Raises ValueError if a named package cannot be imported there.
        """
        read = [self._read(record) for record in records]
        asked = [use for found in read if not isinstance(found, Verdict) for use in found]
        if self._answers is None:
            self._answers = Answers(self.sandbox, self.packages)
        answers = dict(zip(asked, self._answers.to(asked), strict=True))
        return [
            found
            if isinstance(found, Verdict)
            else _verdict([_Resolved(use, answers[use]) for use in found])
            for found in read
        ]

    def _read(self, record: Record) -> list[Use] | Verdict:
        """Return what the record's code uses, or the verdict where that cannot be said."""
        try:
            code = code_of(record, self.code, block=self.block)
        except ValueError as error:
            return no_code_in(record, self.code, error)
        try:
            return uses(parsed(code))
        except ValueError as error:
            return Verdict.failed(*str(error).split(": ", 1))
        except RecursionError:
            return Verdict.abstained("nothing_resolved", "the code nests too deeply to be read")


def _verdict(resolved: Sequence[_Resolved]) -> Verdict:
    counted = Counter(answer["status"] for _, answer in resolved)
    missing = [one for one in resolved if one.answer["status"] in _MISSING]
    evidence = {
        "resolved": counted["found"] + len(missing),
        "skipped": counted["unknown"] + counted["unknown_package"],
        "missing": [_shown(one) for one in missing[:_SHOWN]],
    }
    if missing:
        (use, answer), *_ = missing
        return Verdict.failed(
            answer["status"], f"line {use.line}: {said(answer)}", evidence=evidence
        )
    if unknown := [answer["name"] for _, answer in resolved if answer["status"] == _UNKNOWN]:
        sentence = f"{unknown[0]!r} is neither of the standard library nor in `packages`"
        return Verdict.abstained(_UNKNOWN, sentence)
    if resolved and not counted["found"]:
        sentence = f"none of the {len(resolved)} uses of modules and builtins can be known"
        return Verdict.abstained("nothing_resolved", sentence)
    return Verdict.passed(evidence=evidence)


def _shown(resolved: _Resolved) -> dict[str, object]:
    use, answer = resolved
    return {"code": answer["status"], "line": use.line, "said": said(answer)}
