"""The tests that a module of test source holds, in the order in which they stand."""

from __future__ import annotations

import contextlib
import functools
import inspect
import types
import unittest
from collections.abc import Callable, Iterator
from typing import Any

from synth.sandbox.inside import pytest_names

Test = tuple[str, Callable[[], Any]]
_Fixtures = dict[str, Callable[..., Any]]


def tests_in(module: types.ModuleType, offered: _Fixtures, entry_point: Any) -> Iterator[Test]:
    """Yield the name of each test and what runs it; a name may come several times."""
    fixtures = {**offered, **_fixtures_of(module)}
    for name, found in list(vars(module).items()):
        if getattr(found, "__module__", module.__name__) != module.__name__:
            continue
        if name == "check" and isinstance(found, types.FunctionType):
            yield name, functools.partial(found, entry_point)
        elif name.startswith("test") and isinstance(found, types.FunctionType):
            yield from _runs(name, found, fixtures)
        elif isinstance(found, type):
            yield from _tests_of_class(name, found, fixtures)


def _tests_of_class(name: str, kind: type, fixtures: _Fixtures) -> Iterator[Test]:
    if issubclass(kind, unittest.TestCase):
        for method in unittest.defaultTestLoader.getTestCaseNames(kind):
            yield name, functools.partial(_unittest, kind, method)
    elif name.startswith("Test"):
        for method, function in list(vars(kind).items()):
            if method.startswith("test") and callable(function):
                yield from _runs(name, function, fixtures, kind)


def _unittest(kind: type[unittest.TestCase], method: str) -> None:
    """Run one test case; its setup and what follows it belong to it."""
    result = unittest.TestResult()
    kind.setUpClass()
    kind(method).run(result)
    kind.tearDownClass()
    if result.skipped:
        raise pytest_names.SkippedError(result.skipped[0][1])
    for _, text in (*result.errors, *result.failures):
        raise AssertionError(text.strip().rpartition("\n")[2].replace("AssertionError: ", "", 1))


def _runs(
    name: str, function: Any, fixtures: _Fixtures, kind: type | None = None
) -> Iterator[Test]:
    marks = [*_marks(kind), *_marks(function)]
    if any(mark.name in ("skip", "xfail") for mark in marks):
        return
    for given in _parameter_sets([mark for mark in marks if mark.name == "parametrize"]):
        yield name, functools.partial(_run, function, given, fixtures, kind)


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


def _run(function: Any, given: dict[str, Any], fixtures: _Fixtures, kind: type | None) -> None:
    with contextlib.ExitStack() as stack:
        instance = kind() if kind else None
        if instance is not None and hasattr(instance, "setup_method"):
            instance.setup_method(*[None] * (instance.setup_method.__code__.co_argcount - 1))
        wanted = list(inspect.signature(function).parameters)[1 if kind else 0 :]
        made = {
            name: given[name] if name in given else _made(name, fixtures, stack) for name in wanted
        }
        returned = function(instance, **made) if kind else function(**made)
        if inspect.iscoroutine(returned):
            import asyncio

            asyncio.run(returned)


class NoFixtureError(Exception):
    """A test asks for something, by `name`, that nothing makes."""

    def __init__(self, name: str) -> None:
        super().__init__(f"nothing makes {name!r}, which a test asks for")
        self.name = name


def _made(name: str, fixtures: _Fixtures, stack: contextlib.ExitStack) -> Any:
    if name not in fixtures:
        raise NoFixtureError(name)
    maker = fixtures[name]
    needs = {
        wanted: _made(wanted, fixtures, stack) for wanted in inspect.signature(maker).parameters
    }
    if inspect.isgeneratorfunction(maker):
        return stack.enter_context(contextlib.contextmanager(maker)(**needs))
    return maker(**needs)


def _fixtures_of(module: types.ModuleType) -> _Fixtures:
    found: _Fixtures = {}
    for name, value in vars(module).items():
        wrapped = getattr(value, "_get_wrapped_function", None)  # pytest's own kind of fixture
        if wrapped is not None and type(value).__name__ == "FixtureFunctionDefinition":
            found[name] = wrapped()
        elif getattr(value, "synth_fixture", False) is True:
            found[name] = value
    return found
