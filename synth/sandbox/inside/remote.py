"""What tests hold in place of the program's functions, classes and objects.

Each operation is asked of the program's process. A value that comes back is an answer like any
other; only where one of its objects says yes or no (is it equal to another, is it true, does it
contain this), or reckons with what the tests tell it, is its word taken for the outcome, and then
the tests' integrity is weak. Against a
plain value no such object is ever equal; one that extends a builtin is what it holds.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import types
from collections.abc import Callable
from typing import Any, NoReturn

from synth.sandbox.inside import frames, mirrors, stand_ins, values


class ProgramGoneError(BaseException):
    """The program's process ended, or answers with nonsense; no test can catch this."""

    def __init__(self, how: str = "nonsense") -> None:
        super().__init__(how)
        self.how = how


class Link:
    """The tests' end of the channel."""

    def __init__(self, channel: int, weaken: Callable[[], None]) -> None:
        self._channel = channel
        self._busy = threading.RLock()
        self._callbacks: list[Any] = []
        self._mirrors = mirrors.Mirrors(self)
        self.weaken = weaken
        """Notes that an outcome rests on the program's word."""

    def names(self, used: frozenset[str]) -> dict[str, Any]:
        """Return what the program defines, as far as it is used.

        Raises ProgramGoneError, or LoadError for what loading it raised.
        """
        said = self._read()
        if "load" in said:
            raise LoadError(said["load"])
        if said["arrays"]:
            values.rebuild_arrays()
        told = said["names"].items()
        return {name: self._named(tagged) for name, tagged in told if name in used or "*" in used}

    def _named(self, tagged: Any) -> Any:
        if isinstance(tagged, list) and tagged[0] == "m":
            return sys.modules.get(tagged[1]) or _importable(tagged[1])
        return self.received(tagged)

    def do(self, operation: str, *args: Any, **kwargs: Any) -> Any:
        """Return what an operation gives there, or raise what it raised."""
        asked = {
            "do": operation,
            "args": [self._sent(arg) for arg in args],
            "kwargs": {name: self._sent(arg) for name, arg in kwargs.items()},
        }
        with self._busy:  # threads of the tests ask one after the other
            said = self._exchanged(asked)
        if "ex" in said:
            self._raise(operation, said["ex"])
        given: dict[Any, Any] = {**dict(enumerate(args)), **kwargs}
        for place, now in said.get("changed", ()):
            _replace(given[place], self.received(now))
        return given[said["same"]] if "same" in said else self.received(said["ok"])

    def _raise(self, operation: str, tagged: values.Tagged) -> NoReturn:
        error = self.received(tagged)
        if operation == "call" and isinstance(error, StopIteration):
            self.weaken()  # it ends a loop of the tests, as if there were no more to ask
        if not isinstance(error, BaseException):
            raise ProgramGoneError
        raise error

    def believe(self, operation: str, *args: Any) -> Any:
        """Return what an object of the program says of a question with two answers."""
        self.weaken()
        return self.do(operation, *args)

    def _exchanged(self, asked: dict[str, Any]) -> dict[str, Any]:
        token = os.urandom(6).hex()
        self._write({**asked, "token": token})
        while True:
            said = self._read()
            if said.get("token") != token:
                raise ProgramGoneError  # nobody asked for that
            if "back" not in said:
                return said
            self._write(self._called(said))

    def _called(self, said: dict[str, Any]) -> dict[str, Any]:
        """Return what a function of the tests returns to the program that calls it."""
        try:
            args, kwargs = self.received(said["args"]), self.received(said["kwargs"])
            return {"returned": self._sent(self._callbacks[said["back"]](*args, **kwargs))}
        except Exception as error:  # noqa: BLE001 (the program hears of it)
            return {"raised": self._sent(error)}

    def _read(self) -> dict[str, Any]:
        try:
            said = frames.read(self._channel)
        except (EOFError, ConnectionError):
            raise ProgramGoneError("end") from None
        except (OSError, ValueError):
            raise ProgramGoneError from None
        if not isinstance(said, dict):
            raise ProgramGoneError
        return said

    def _write(self, message: dict[str, Any]) -> None:
        try:
            frames.write(self._channel, message)
        except OSError:
            raise ProgramGoneError("end") from None

    def _sent(self, value: Any) -> values.Tagged:
        return values.encode(value, self._as_handle)

    def _as_handle(self, value: Any) -> values.Tagged:
        number = getattr(value, "__dict__", {}).get(stand_ins.NUMBER)
        if number is not None:
            return ["h", number]
        if isinstance(value, _CALLED_BACK):
            self._callbacks.append(value)
            name, doc = getattr(value, "__name__", "function"), getattr(value, "__doc__", None)
            return ["back", len(self._callbacks) - 1, name, doc]
        if isinstance(value, type) and value.__module__ == "builtins":
            return ["type", value.__name__]
        if isinstance(value, BaseException):
            return self._error(value)
        raise stand_ins.CannotSplitError(f"a value of type {type(value).__name__}")

    def received(self, tagged: values.Tagged) -> Any:
        """Return a value, or what stands for one. Raises ProgramGoneError for what is neither."""
        try:
            return values.decode(tagged, self._mirrors.standing_in)
        except values.UNREADABLE:
            raise ProgramGoneError from None

    def _error(self, error: BaseException) -> values.Tagged:
        """Return an error of the tests as one of its builtin class.

        What a failed assert would say is what is expected: that is not sent.
        """
        kind = next(one for one in type(error).__mro__ if one.__module__ == "builtins")
        args = () if kind is AssertionError else error.args
        return ["error", kind.__name__, *map(self._sent, args)]


_CALLED_BACK = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodDescriptorType,
    types.MethodWrapperType,
    functools.partial,
)


class LoadError(Exception):
    """The program could not be loaded; `told` is what it raised."""

    def __init__(self, told: list[Any]) -> None:
        super().__init__(f"{told[0]}: {told[1]}")
        self.told = told


def _importable(name: str) -> Any:
    try:
        return __import__(name, fromlist=["__name__"])
    except ImportError:
        return None


def _replace(value: Any, now: Any) -> None:
    """Make a mutable builtin hold what the program's copy of it holds now."""
    if isinstance(value, (list, bytearray)):
        value[:] = now
    elif isinstance(value, (dict, set)):
        value.clear()
        value.update(now)
