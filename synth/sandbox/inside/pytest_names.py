"""The part of pytest's interface that tests of a function use, for sandboxes without pytest."""

from __future__ import annotations

import importlib
import math
import re
import sys
import types
from collections.abc import Callable
from typing import Any


class SkippedError(Exception):
    """A test that does not want to run."""


class FailedError(AssertionError):
    """What should have been raised was not, or a test said that it fails."""


class _Raises:
    def __init__(self, expected: Any, match: str | None) -> None:
        self._expected = expected
        self._match = match
        self.value: Any = None
        self.type: Any = None

    def __enter__(self) -> _Raises:
        return self

    def __exit__(self, kind: Any, error: Any, _traceback: Any) -> bool:
        if kind is None:
            raise FailedError(f"did not raise {self._expected}")
        if not issubclass(kind, self._expected):
            return False
        self.type, self.value = kind, error
        if self._match is not None and not re.search(self._match, str(error)):
            raise FailedError(f"{str(error)!r} does not match {self._match!r}")
        return True


def raises(expected: Any, *args: Any, match: str | None = None, **kwargs: Any) -> Any:
    """Return a context that wants an exception, or call a function that should raise."""
    context = _Raises(expected, match)
    if not args:
        return context
    with context:
        args[0](*args[1:], **kwargs)
    return context


class approx:  # noqa: N801 (pytest's name)
    """A number, or numbers in a list, tuple or dict, up to a tolerance."""

    def __init__(self, expected: Any, rel: float = 1e-6, abs: float = 1e-12) -> None:
        self._expected = expected
        self._rel, self._abs = rel, abs

    def __eq__(self, other: object) -> bool:
        return self._near(self._expected, other)

    __hash__ = None  # type: ignore[assignment]

    def _near(self, expected: Any, found: Any) -> bool:
        if isinstance(expected, dict):
            same = isinstance(found, dict) and expected.keys() == found.keys()
            return same and all(self._near(expected[key], found[key]) for key in expected)
        if isinstance(expected, (list, tuple)):
            same = isinstance(found, (list, tuple)) and len(expected) == len(found)
            return same and all(map(self._near, expected, found))
        if isinstance(expected, (int, float)) and isinstance(found, (int, float)):
            return math.isclose(expected, found, rel_tol=self._rel, abs_tol=self._abs)
        return bool(expected == found)


class _Marked:
    def __init__(self, name: str, args: Any, kwargs: Any) -> None:
        self.name, self.args, self.kwargs = name, args, kwargs

    def __call__(self, function: Any) -> Any:
        function.pytestmark = [*getattr(function, "pytestmark", []), self]
        return function


class _Mark:
    def __getattr__(self, name: str) -> Any:
        def mark(*args: Any, **kwargs: Any) -> Any:
            if len(args) == 1 and not kwargs and isinstance(args[0], (types.FunctionType, type)):
                return _Marked(name, (), {})(args[0])
            return _Marked(name, args, kwargs)

        return mark


class _Parameters:
    def __init__(self, values: Any) -> None:
        self.values = values


class Fixture:
    """The maker of what a test names, with what the test source said of it."""

    def __init__(self, maker: Callable[..., Any], options: dict[str, Any]) -> None:
        self.maker = maker
        self.name: str = options.get("name") or maker.__name__
        self.autouse = bool(options.get("autouse"))
        self.lasts = options.get("scope", "function") != "function"
        """Whether more than one test shares what it makes."""
        params = options.get("params")
        self.params: list[Any] | None = None if params is None else list(params)


def fixture(function: Any = None, **options: Any) -> Any:
    """Mark a function as the maker of what a test names."""

    def marked(found: Callable[..., Any]) -> Callable[..., Any]:
        found.synth_fixture = Fixture(found, options)  # type: ignore[attr-defined]
        return found

    return marked(function) if function is not None else marked


def _skip(reason: str = "") -> None:
    raise SkippedError(reason)


def _fail(reason: str = "") -> None:
    raise FailedError(reason)


def offer() -> None:
    """Make `import pytest` give these names, unless the environment has the real one."""
    try:
        importlib.import_module("pytest")
    except ImportError:
        module: Any = types.ModuleType("pytest")
        module.raises, module.approx, module.fixture = raises, approx, fixture
        module.mark, module.skip, module.fail = _Mark(), _skip, _fail
        module.param = lambda *values, **_options: _Parameters(values)
        module.main = lambda *_args, **_options: 0
        sys.modules["pytest"] = module
