"""The tests that a module of test source holds, in the order in which they stand."""

from __future__ import annotations

import functools
import inspect
import types
import unittest
from collections.abc import Callable, Iterator
from typing import Any

from synth.sandbox.inside import pytest_names, remote, stand_ins
from synth.sandbox.inside.making import Making

Test = tuple[str, Callable[[], Any]]


def tests_in(
    module: types.ModuleType, offered: dict[str, Callable[..., Any]], entry_point: Any
) -> Iterator[Test]:
    """Yield the name of each test and what runs it; a name may come several times."""
    making = Making(offered, module)
    for name, found in list(vars(module).items()):
        if getattr(found, "__module__", module.__name__) != module.__name__:
            continue
        if name == "check" and isinstance(found, types.FunctionType):
            yield name, functools.partial(found, entry_point)
        elif name.startswith("test") and isinstance(found, types.FunctionType):
            yield from _runs(name, found, making)
        elif isinstance(found, type):
            yield from _tests_of_class(name, found, Making(offered, module, found, making))


def _tests_of_class(name: str, kind: type, making: Making) -> Iterator[Test]:
    if issubclass(kind, unittest.TestCase):
        for method in unittest.defaultTestLoader.getTestCaseNames(kind):
            yield name, functools.partial(_unittest, kind, method)
    elif name.startswith("Test"):
        for method, function in list(vars(kind).items()):
            if method.startswith("test") and callable(function):
                yield from _runs(name, function, making, kind)


class _Result(unittest.TestResult):
    """A result that keeps what no test may catch, though unittest does."""

    ended: BaseException | None = None

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802 (unittest's name)
        """Count an error, or keep what ends the tests."""
        if isinstance(err[1], _ENDING):
            self.ended = err[1]
        super().addError(test, err)

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
        """Count what became of a part."""
        if err is not None and isinstance(err[1], _ENDING):
            self.ended = err[1]
        super().addSubTest(test, subtest, err)


_ENDING = (stand_ins.CannotSplitError, remote.ProgramGoneError)


def _unittest(kind: type[unittest.TestCase], method: str) -> None:
    """Run one test case; its setup and what follows it belong to it."""
    result = _Result()
    kind.setUpClass()
    kind(method).run(result)
    kind.tearDownClass()
    if result.ended is not None:
        raise result.ended
    if result.skipped:
        raise pytest_names.SkippedError(result.skipped[0][1])
    for _, text in (*result.errors, *result.failures):
        raise AssertionError(text.strip().rpartition("\n")[2].replace("AssertionError: ", "", 1))


def _runs(name: str, function: Any, making: Making, kind: type | None = None) -> Iterator[Test]:
    marks = [*_marks(kind), *_marks(function)]
    if any(mark.name in ("skip", "xfail") for mark in marks):
        return
    for given in _parameter_sets([mark for mark in marks if mark.name == "parametrize"]):
        for params in making.parameters(inspect.signature(function).parameters):
            yield name, functools.partial(making.run, function, given, params)


def _marks(found: Any) -> list[Any]:
    marks = getattr(found, "pytestmark", [])
    return list(marks) if isinstance(marks, (list, tuple)) else [marks]


def _parameter_sets(marks: list[Any]) -> list[dict[str, Any]]:
    sets: list[dict[str, Any]] = [{}]
    for mark in marks:
        names, rows = (*mark.args, mark.kwargs.get("argvalues"))[:2]
        names = [part.strip() for part in names.split(",")] if isinstance(names, str) else names
        given = [dict(zip(names, _row(row, len(names)))) for row in rows]  # noqa: B905 (3.9)
        sets = [{**before, **one} for one in given for before in sets]
    return sets


def _row(row: Any, width: int) -> Any:
    row = getattr(row, "values", row) if not isinstance(row, dict) else row
    if isinstance(row, tuple) and width == 1 and len(row) == 1:
        return row
    return row if width > 1 else (row,)
