"""The tests of a record, in each form that they come in, and what code makes of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal, Self, cast

from synth import Sandbox

from .same_values import same_output, same_value, shown

Values = Literal["json", "python"]
"""How arguments and expected values are spelled: as JSON, where a tuple can only be a list and so
equals one; or each as a text that holds a Python literal, compared as Python does."""
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one test came to."""

    word: str
    """`pass`, or why not: `fail error timeout memory crash output_limit early_exit killed`."""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What the tests came to, in order, and how they were run."""

    tests: tuple[Outcome, ...]
    isolation: str
    integrity: str

    @property
    def passed(self) -> int:
        """How many passed."""
        return sum(test.word == "pass" for test in self.tests)

    @property
    def first_failure(self) -> str:
        """The first test that did not pass, in words; empty if all did."""
        for number, test in enumerate(self.tests, 1):
            if test.word != "pass":
                said = f"{test.word}: {test.message}" if test.message else test.word
                return f"test {number}: {said}"
        return ""


@dataclass(frozen=True, slots=True)
class Comparing:
    """How values are read and compared."""

    values: Values = "json"
    tolerance: float = 0.0
    stdout: Literal["lines", "tokens", "exact"] = "lines"


@dataclass(frozen=True, slots=True)
class Suite:
    """The tests of one record."""

    tests: tuple[Mapping[str, Any], ...]
    source: str = ""
    """All tests as one text, each assert of which is a test; then `tests` is empty."""
    entry_point: str = ""
    setup: str = ""
    comparing: Comparing = Comparing()

    @classmethod
    def read(
        cls,
        fields: Mapping[str, Any],
        *,
        tests: str = "tests",
        comparing: Comparing = Comparing(),
    ) -> Self:
        """Return the suite in a record's fields.

        Raises ValueError, whose text is a reason: `no_tests`, `unreadable_tests`,
        `no_entry_point_named`.
        """
        written = fields.get(tests)
        if not written:
            raise ValueError(f"no_tests: the record has no {tests!r}")
        entry_point, setup = _text(fields, "entry_point"), _text(fields, "test_setup")
        if isinstance(written, str):
            return cls((), written, entry_point, setup, comparing)
        items = _items(written, tests, entry_point, comparing)
        return cls(items, "", entry_point, setup, comparing)

    def outcomes(self, code: str, sandbox: Sandbox) -> Outcomes:
        """Return what `code` makes of each test. Raises what Sandbox raises."""
        if self.source:
            return self._checked(self.source, code, sandbox)
        parts = [
            self._part(kind, list(group), code, sandbox)
            for kind, group in groupby(self.tests, key=_kind)
        ]
        weak = any(part.integrity == "weak" for part in parts)
        tests = tuple(test for part in parts for test in part.tests)
        return Outcomes(tests, parts[0].isolation, "weak" if weak else "strong")

    def passes(self, code: str, sandbox: Sandbox) -> bool:
        """Return whether `code` passes all tests; the first that fails ends it."""
        if self.source:
            whole = self._checked(self.source, code, sandbox)
            return whole.passed == len(whole.tests)
        for kind, group in groupby(self.tests, key=_kind):
            batch = list(group)
            for tests in [batch] if kind == "args" else [[one] for one in batch]:
                part = self._part(kind, tests, code, sandbox)
                if part.passed < len(part.tests):
                    return False
        return True

    def _part(
        self, kind: str, tests: list[Mapping[str, Any]], code: str, sandbox: Sandbox
    ) -> Outcomes:
        match kind:
            case "args":
                return self._called(tests, code, sandbox)
            case "stdin":
                return self._run(tests, code, sandbox)
            case _:
                return self._each_checked(tests, code, sandbox)

    def _called(self, tests: Sequence[Mapping[str, Any]], code: str, sandbox: Sandbox) -> Outcomes:
        calls = [
            sandbox.Call(
                [self._value(arg) for arg in test.get("args", ())],
                {name: self._value(arg) for name, arg in test.get("kwargs", {}).items()},
            )
            for test in tests
        ]
        ran = sandbox.call(code, self.entry_point, calls)
        compared = [
            self._compared(test, result) for test, result in zip(tests, ran.results, strict=True)
        ]
        return Outcomes(tuple(compared), ran.isolation, ran.integrity)

    def _compared(self, test: Mapping[str, Any], result: Any) -> Outcome:
        wanted = test.get("raises")
        if wanted is not None:
            raised = result.message.partition(":")[0].partition(" ")[0]
            held = result.outcome == "error" and raised == wanted
            got = shown(result.value) if result.outcome == "returned" else result.message
            return Outcome("pass") if held else Outcome("fail", f"wanted {wanted}, got {got}")
        if result.outcome != "returned":
            return Outcome(result.outcome, result.message)
        expected = self._value(test["expected"])
        as_json = self.comparing.values == "json"
        if same_value(expected, result.value, self.comparing.tolerance, as_json=as_json):
            return Outcome("pass")
        return Outcome(
            "fail", f"{_call(test)}: wanted {shown(expected)}, got {shown(result.value)}"
        )

    def _run(self, tests: Sequence[Mapping[str, Any]], code: str, sandbox: Sandbox) -> Outcomes:
        def printed(test: Mapping[str, Any]) -> Outcome:
            ran = sandbox.run(code, test["stdin"])
            [result] = ran.results
            if result.outcome != "returned":
                return Outcome(result.outcome, result.message)
            how, tolerance = self.comparing.stdout, self.comparing.tolerance
            same = same_output(test["stdout"], ran.stdout, how, tolerance)
            told = f"wanted {shown(test['stdout'])}, printed {shown(ran.stdout)}"
            return Outcome("pass") if same else Outcome("fail", told)

        outcomes = _while_there_is_time(printed, tests)
        return Outcomes(outcomes, sandbox.isolation, "strong")

    def _each_checked(
        self, tests: Sequence[Mapping[str, Any]], code: str, sandbox: Sandbox
    ) -> Outcomes:
        weak: list[bool] = []

        def checked(test: Mapping[str, Any]) -> Outcome:
            found = self._checked(test["source"], code, sandbox)
            weak.append(found.integrity == "weak")
            return _told(_merged(found.tests), test["source"])

        outcomes = _while_there_is_time(checked, tests)
        return Outcomes(outcomes, sandbox.isolation, "weak" if any(weak) else "strong")

    def _checked(self, source: str, code: str, sandbox: Sandbox) -> Outcomes:
        ran = sandbox.check(code, source, entry_point=self.entry_point, setup=self.setup)
        tests = tuple(Outcome(result.outcome, result.message) for result in ran.results)
        return Outcomes(tests, ran.isolation, ran.integrity)

    def _value(self, written: Any) -> Any:
        return written if self.comparing.values == "json" else ast.literal_eval(written)


def _while_there_is_time(
    run: Callable[[Mapping[str, Any]], Outcome], tests: Sequence[Mapping[str, Any]]
) -> tuple[Outcome, ...]:
    """Return the outcome of each test; after one that ran out of time the others are not run."""
    outcomes: list[Outcome] = []
    for test in tests:
        if outcomes and outcomes[-1].word == "timeout":
            break
        outcomes.append(run(test))
    left = len(tests) - len(outcomes)
    return (*outcomes, *[Outcome("killed", "not run: a test before took all time")] * left)


def _text(fields: Mapping[str, Any], name: str) -> str:
    found = fields.get(name)
    return found if isinstance(found, str) else ""


def _kind(test: Mapping[str, Any]) -> str:
    return next((kind for kind in ("source", "stdin") if kind in test), "args")


def _merged(tests: Sequence[Outcome]) -> Outcome:
    """Return what a test with several asserts came to: its first that did not pass."""
    return next((test for test in tests if test.word != "pass"), Outcome("pass"))


def _told(outcome: Outcome, source: str) -> Outcome:
    """Return an outcome that shows the test where it says nothing: who repairs code must know."""
    if outcome.word == "pass" or outcome.message:
        return outcome
    return Outcome(outcome.word, source.strip()[-_LONGEST:])


def _call(test: Mapping[str, Any]) -> str:
    given = [shown(arg) for arg in test.get("args", ())]
    given += [f"{name}={shown(arg)}" for name, arg in test.get("kwargs", {}).items()]
    args = ", ".join(given)
    return f"called with ({args[:_LONGEST]}{' …' if len(args) > _LONGEST else ''})"


def _items(
    written: Any, field: str, entry_point: str, comparing: Comparing
) -> tuple[Mapping[str, Any], ...]:
    """Return tests that are each of a known form. Raises ValueError."""
    if not isinstance(written, list):
        raise ValueError(  # noqa: TRY004 (its text is a reason)
            f"unreadable_tests: {field!r} wants a list or a text"
        )
    tests = cast("list[Any]", written)
    for number, test in enumerate(tests, 1):
        wrong = _wrong(test, comparing)
        if wrong:
            raise ValueError(f"unreadable_tests: test {number} in {field!r} {wrong}")
        if _kind(test) == "args" and not entry_point:
            raise ValueError("no_entry_point_named: the record's `entry_point` names no function")
    return tuple(tests)


def _wrong(test: Any, comparing: Comparing) -> str:
    if not isinstance(test, Mapping):
        return "is no mapping"
    found = cast("Mapping[str, Any]", test)
    for name, kind in (("args", list), ("kwargs", Mapping), ("stdin", str), ("stdout", str)):
        if name in found and not isinstance(found[name], kind):
            return f"wants another type for {name!r} than {type(found[name]).__name__}"
    if "source" in found:
        return "" if isinstance(found["source"], str) else "wants a text as `source`"
    if "stdin" in found:
        return "" if "stdout" in found else "lacks `stdout`"
    if "expected" not in found and "raises" not in found:
        return "lacks `expected` (or `raises`), or `stdin` and `stdout`, or `source`"
    return _unliteral(found) if comparing.values == "python" else ""


def _unliteral(test: Mapping[str, Any]) -> str:
    written = [*test.get("args", ()), *test.get("kwargs", {}).values()]
    written += [test["expected"]] if "expected" in test else []
    for one in written:
        try:
            ast.literal_eval(one)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            return f"wants Python literals as texts, got {one!r}"[:200]
    return ""
