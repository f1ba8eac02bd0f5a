"""What tests hold in place of the program's functions, classes and objects.

Each operation is asked of the program's process. A value that comes back is an answer like any
other; only where one of its objects says yes or no (is it equal to another, is it true, does it
contain this) is its word taken for the outcome, and then the tests' integrity is weak. Against a
plain value no such object is ever equal.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

from synth.sandbox.inside import frames, stand_ins, values


class ProgramGoneError(BaseException):
    """The program's process ended; no test can catch this."""


class Link:
    """The tests' end of the channel."""

    def __init__(self, channel: int, weaken: Callable[[], None]) -> None:
        self._channel = channel
        self._weaken = weaken
        self._callbacks: list[Any] = []
        self._objects: dict[int, Any] = {}
        self._mirrored: dict[tuple[str, ...], type] = {}

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
        said = self._exchanged(asked)
        if "ex" in said:
            raise self._error(said["ex"])
        for place, now in said.get("changed", ()):
            _replace(args[place] if isinstance(place, int) else kwargs[place], self.received(now))
        return self.received(said["ok"])

    def believe(self, operation: str, *args: Any) -> Any:
        """Return what an object of the program says of a question with two answers."""
        self._weaken()
        return self.do(operation, *args)

    def _exchanged(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._write(asked)
        while True:
            said = self._read()
            if "back" not in said:
                return said
            self._write(self._called(said))

    def _called(self, said: dict[str, Any]) -> dict[str, Any]:
        """Return what a function of the tests returns to the program that calls it."""
        try:
            args, kwargs = self.received(said["args"]), self.received(said["kwargs"])
            return {"returned": self._sent(self._callbacks[said["back"]](*args, **kwargs))}
        except Exception as error:  # noqa: BLE001 (the program hears of it)
            return {"raised": f"{type(error).__name__}: {error}"}

    def _read(self) -> dict[str, Any]:
        try:
            said = frames.read(self._channel)
        except (EOFError, OSError, ValueError):
            raise ProgramGoneError from None
        if not isinstance(said, dict):
            raise ProgramGoneError
        return said

    def _write(self, message: dict[str, Any]) -> None:
        try:
            frames.write(self._channel, message)
        except OSError:
            raise ProgramGoneError from None

    def _sent(self, value: Any) -> values.Tagged:
        return values.encode(value, self._as_handle)

    def _as_handle(self, value: Any) -> values.Tagged:
        number = getattr(value, "__dict__", {}).get(stand_ins.NUMBER)
        if number is not None:
            return ["h", number]
        if isinstance(value, _CALLED_BACK):
            self._callbacks.append(value)
            return ["back", len(self._callbacks) - 1]
        if isinstance(value, type) and value.__module__ == "builtins":
            self._callbacks.append(value)
            return ["back", len(self._callbacks) - 1]
        raise stand_ins.CannotSplitError(f"a value of type {type(value).__name__}")

    def received(self, tagged: values.Tagged) -> Any:
        """Return a value, or what stands for one. Raises ProgramGoneError for what is neither."""
        try:
            return values.decode(tagged, self._standing_in)
        except values.UNREADABLE:
            raise ProgramGoneError from None

    def _standing_in(self, tagged: list[Any]) -> Any:
        tag, number, kind = tagged[0], tagged[1], tagged[2]
        if tag != "h":
            raise ValueError(f"unknown tag {tag!r}")
        if number not in self._objects:
            self._objects[number] = self._stand_in(number, kind, tagged)
        return self._objects[number]

    def _stand_in(self, number: int, kind: str, tagged: list[Any]) -> Any:
        if kind == "class":
            mirrored = self._class_of(tagged[3])
            if not issubclass(mirrored, BaseException):
                type.__setattr__(mirrored, stand_ins.NUMBER, number)
            return mirrored
        if kind == "coroutine":
            return self._awaiting(number)
        made = object.__new__(self._instances_of(self.received(tagged[3])))
        made.__dict__.update({stand_ins.NUMBER: number, stand_ins.LINK: self})
        return made

    def _instances_of(self, found: Any) -> type:
        return (
            found
            if isinstance(found, type) and issubclass(found, stand_ins.Remote)
            else stand_ins.Remote
        )

    async def _awaiting(self, number: int) -> Any:
        return self.do("await", stand_ins.Held(number))

    def _class_of(self, lineage: list[list[str]]) -> type:
        """Return the class of the same module and name here, else one that mirrors it."""
        (module, name), *above = lineage
        known = None if module.partition(".")[0] in _NOT_FROM else _found(module, name)
        if isinstance(known, type) and issubclass(known, BaseException):
            return known
        if known is object or not above:
            return stand_ins.Remote
        key = (module, name, *(one[1] for one in above))
        if key not in self._mirrored:
            base = self._class_of(above)
            namespace = {
                "__module__": "solution",
                "__doc__": stand_ins.DOCSTRING,
                stand_ins.LINK: self,
            }
            kind = stand_ins.RemoteClass if issubclass(base, stand_ins.Remote) else type
            self._mirrored[key] = kind(name, (base,), namespace)
        return self._mirrored[key]

    def _error(self, told: dict[str, Any]) -> BaseException:
        kind = self._class_of(told["lineage"])
        if not issubclass(kind, Exception):
            kind = type(told["name"], (RuntimeError,), {})
        made = _exception(kind, self.received(told["args"]), told["message"])
        for name, value in self.received(told["attributes"]).items():
            made.__dict__[name] = value
        return made


# What the program names as a class of these would skip or end a test.
_NOT_FROM = ("solution", "test_solution", "unittest", "pytest", "_pytest")


def _found(module: str, name: str) -> Any:
    return getattr(sys.modules.get(module), name, None)


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


def _exception(kind: type[BaseException], args: list[Any], message: str) -> BaseException:
    try:
        return kind.__new__(kind, *args)
    except TypeError:
        return RuntimeError(message)


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
