"""What tests hold in place of the program's objects, made from the handles that it sends.

A class of the program is mirrored by one of the same name and bases, so that tests can name it and
catch it. An object that extends a number, a text or a tuple is one here too, with its value; all
others are asked whatever tests want of them.
"""

from __future__ import annotations

import builtins
import sys
import types
from typing import Any

from synth.sandbox.inside import stand_ins

# What the program names as a class of these would skip or end a test.
_NOT_FROM = ("solution", "test_solution", "unittest", "pytest", "_pytest", "synth")
_FIXED = {one.__name__: one for one in (int, float, str, bytes, tuple, frozenset)}
_HELD = {**_FIXED, "list": list, "dict": dict, "set": set}
_KINDS = {"generator": types.GeneratorType, "async_generator": types.AsyncGeneratorType}


class Mirrors:
    """The stand-ins of one program, by number."""

    def __init__(self, link: Any) -> None:
        self._link = link
        self._made: dict[int, Any] = {}
        self._fixed_classes: dict[tuple[int, type], type] = {}

    def standing_in(self, tagged: list[Any]) -> Any:
        """Return what stands for a handle. Raises ValueError, or the like, for what is none."""
        tag, number, kind, *told = tagged
        if tag != "h" or not isinstance(number, int):
            raise ValueError(f"unknown tag {tag!r}")
        if number in self._made:
            return self._made[number]
        make = {
            "class": self._class,
            "object": self._object,
            "fixed": self._fixed,
            "extended": self._extended,
            "error": self._error,
            "coroutine": self._awaiting,
        }[kind]
        made = make(number, *told)
        if number >= 0:
            self._made[number] = made
        return made

    def _class(self, number: int, module: str, name: str, bases: list[Any]) -> type:
        """Return the exception class of the same name here, else a class that mirrors it."""
        known = _known(module, name)
        if known is not None:
            return known
        if (module, name) == ("builtins", "object"):
            return stand_ins.Remote
        above = tuple(dict.fromkeys(self.standing_in(base) for base in bases))
        errors = tuple(one for one in above if issubclass(one, BaseException))
        namespace = {
            "__module__": "solution",
            "__doc__": stand_ins.DOCSTRING,
            stand_ins.LINK: self._link,
            stand_ins.NUMBER: number,
        }
        if errors:
            return type(name, errors, {**namespace, **stand_ins.OF_ERRORS})
        above = tuple(one for one in above if issubclass(one, stand_ins.Remote))
        return stand_ins.RemoteClass(name, above or (stand_ins.Remote,), namespace)

    def _object(self, number: int, kind: list[Any]) -> Any:
        made = self._instance(number, kind)
        if kind[3:4] == ["builtins"] and kind[4] in _KINDS:
            made.__dict__[stand_ins.KIND] = _KINDS[kind[4]]
        return made

    def _extended(self, number: int, kind: list[Any], holds: str) -> Any:
        made = self._instance(number, kind)
        made.__dict__[stand_ins.KIND] = _HELD[holds]
        return made

    def _instance(self, number: int, kind: list[Any]) -> Any:
        found = self.standing_in(kind)
        if not issubclass(found, stand_ins.Remote):
            found = stand_ins.Remote
        made = object.__new__(found)
        vars(made).update({stand_ins.NUMBER: number, stand_ins.LINK: self._link})
        return made

    def _fixed(self, number: int, kind: list[Any], plain: Any) -> Any:
        mirrored, value = self.standing_in(kind), self._link.received(plain)
        holds = _FIXED[type(value).__name__]
        key = (kind[1], holds)
        if key not in self._fixed_classes:
            namespace = {"__module__": "solution", **stand_ins.OF_FIXED}
            self._fixed_classes[key] = type(mirrored.__name__, (holds,), namespace)
        made = holds.__new__(self._fixed_classes[key], value)
        made.__dict__.update({stand_ins.NUMBER: number, stand_ins.LINK: self._link})
        return made

    def _error(self, number: int, told: dict[str, Any]) -> BaseException:
        kind: Any = self.standing_in(told["kind"])
        if not issubclass(kind, (Exception, SystemExit)):
            kind = type(str(told["name"]), (RuntimeError,), {})
        made = _raisable(kind, self._link.received(told["args"]), str(told["message"]))
        for name, value in self._link.received(told["attributes"]).items():
            made.__dict__[name] = value
        if stand_ins.LINK in vars(kind) and number >= 0:
            made.__dict__.update({stand_ins.NUMBER: number, stand_ins.TOLD: str(told["message"])})
        if "cause" in told:
            made.__cause__ = self.standing_in(told["cause"])
        return made

    async def _awaiting(self, number: int) -> Any:
        return self._link.do("await", stand_ins.Held(number))


def _known(module: str, name: str) -> type[BaseException] | None:
    found = getattr(sys.modules.get(module), name, None)
    if module.partition(".")[0] in _NOT_FROM or not isinstance(found, type):
        return None
    return found if issubclass(found, BaseException) else None


def _raisable(kind: type[BaseException], args: list[Any], message: str) -> BaseException:
    try:
        if vars(builtins).get(kind.__name__) is kind:
            return kind(*args)  # it may keep what it is given: the code of SystemExit
        above = next(one for one in kind.__mro__ if one.__module__ == "builtins")
        return above.__new__(kind, *args)
    except TypeError:
        return RuntimeError(message)
