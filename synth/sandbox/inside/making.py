"""What tests name as parameters, made by the fixtures of their module, their class, and pytest."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from synth.sandbox.inside.pytest_names import Fixture

_SETUP_OF_MODULE = ("setup_module", "setup_function", "teardown_function")


class NoFixtureError(Exception):
    """A test asks for something, by `name`, that nothing makes."""

    def __init__(self, name: str) -> None:
        super().__init__(f"nothing makes {name!r}, which a test asks for")
        self.name = name


class Making:
    """The fixtures of a module of tests or of one of its classes, and what those that last made."""

    def __init__(
        self,
        offered: dict[str, Callable[..., Any]],
        module: types.ModuleType,
        kind: type | None = None,
        outer: Making | None = None,
    ) -> None:
        self._module, self._kind, self._outer = module, kind, outer
        known = [Fixture(maker, {"name": name}) for name, maker in offered.items()]
        scope = [*vars(module).values(), *(vars(kind).values() if kind else ())]
        known += [found for value in scope if (found := _as_fixture(value)) is not None]
        self._fixtures = {one.name: one for one in known}
        self._lasting: dict[str, Any] = {}
        self._open = contextlib.ExitStack()
        self._begun = False

    def parameters(self, wanted: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Yield the parameter of each fixture that has several, in all their combinations."""
        names = list(self._needed([*wanted, *self._always]))
        several = {name: self._fixtures[name].params for name in names}
        given = {name: params for name, params in several.items() if params is not None}
        for chosen in itertools.product(*given.values()):
            yield dict(zip(given, chosen))  # noqa: B905 (Python 3.9)

    def _needed(self, wanted: Iterable[str]) -> dict[str, None]:
        """Return the names of the fixtures that those need in turn."""
        found: dict[str, None] = {}
        left = list(wanted)
        while left:
            name = left.pop()
            if name in self._fixtures and name not in found:
                found[name] = None
                left += inspect.signature(self._fixtures[name].maker).parameters
        return found

    @property
    def _always(self) -> list[str]:
        return [name for name, one in self._fixtures.items() if one.autouse]

    def run(self, function: Any, given: dict[str, Any], params: dict[str, Any]) -> Any:
        """Return what a test returns, given its own parameters and those of its fixtures."""
        with contextlib.ExitStack() as stack:
            instance = self._set_up(function, stack)
            test = _Test(self, {**given}, params, stack, instance)
            for name in self._always:
                test.value(name)
            wanted = list(inspect.signature(function).parameters)[1 if self._kind else 0 :]
            made = {name: test.value(name) for name in wanted}
            return _finished(function(instance, **made) if self._kind else function(**made))

    def _set_up(self, function: Any, stack: contextlib.ExitStack) -> Any:
        names = vars(self._module)
        if not self._begun:
            self._begun = True
            if self._outer is None:
                _called(names.get("setup_module"), self._module)
            else:
                _called(getattr(self._kind, "setup_class", None))
        if self._kind is None:
            _called(names.get("setup_function"), function)
            stack.callback(_called, names.get("teardown_function"), function)
            return None
        instance = self._kind()
        _called(getattr(instance, "setup_method", None), function)
        stack.callback(_called, getattr(instance, "teardown_method", None), function)
        return instance

    def made(self, name: str, test: _Test) -> Any:
        """Return what a fixture makes; one that lasts makes it once. Raises NoFixtureError."""
        fixture = self._fixtures.get(name)
        if fixture is None:
            raise NoFixtureError(name)
        if not fixture.lasts or fixture.params is not None:
            return test.make(fixture, test.stack)
        if name not in self._lasting:
            self._lasting[name] = test.make(fixture, self._open)
        return self._lasting[name]


class _Test:
    """One run of one test: each fixture makes one thing for it."""

    def __init__(
        self,
        making: Making,
        given: dict[str, Any],
        params: dict[str, Any],
        stack: contextlib.ExitStack,
        instance: Any,
    ) -> None:
        self._making, self._values, self._params = making, given, params
        self.stack, self._instance = stack, instance

    def value(self, name: str) -> Any:
        if name not in self._values:
            self._values[name] = self._making.made(name, self)
        return self._values[name]

    def make(self, fixture: Fixture, stack: contextlib.ExitStack) -> Any:
        needs: dict[str, Any] = {}
        for name in inspect.signature(fixture.maker).parameters:
            if name == "self":
                needs[name] = self._instance
            elif name == "request":
                param = self._params.get(fixture.name)
                needs[name] = types.SimpleNamespace(param=param, addfinalizer=stack.callback)
            else:
                needs[name] = self.value(name)
        if inspect.isgeneratorfunction(fixture.maker):
            return stack.enter_context(contextlib.contextmanager(fixture.maker)(**needs))
        return _finished(fixture.maker(**needs))


def _as_fixture(value: Any) -> Fixture | None:
    """Return the fixture that a name holds: ours, or one of pytest's own kind."""
    if type(value).__name__ == "FixtureFunctionDefinition":
        marker = value._fixture_function_marker
        options = {name: getattr(marker, name) for name in ("name", "scope", "params", "autouse")}
        return Fixture(value._get_wrapped_function(), options)
    found = vars(value).get("synth_fixture") if isinstance(value, types.FunctionType) else None
    return found if isinstance(found, Fixture) else None


def _finished(returned: Any) -> Any:
    if not inspect.iscoroutine(returned):
        return returned
    import asyncio  # it makes a process much larger

    return asyncio.run(returned)


def _called(found: Any, *args: Any) -> None:
    """Call a function of the tests, if there is one, with as many of `args` as it takes."""
    if found is not None:
        found(*args[: len(inspect.signature(found).parameters)])
