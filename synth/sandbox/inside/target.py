"""The program's side of split tests: it does what it is asked and never sees what is expected.

Values that are plain pass as they are; all others stay here and pass as handles. An argument that
the call changed is sent back, so that the tests see it changed, as they would in one process.
"""

from __future__ import annotations

import builtins
import gc
import inspect
import sys
import types
from collections.abc import Callable
from typing import Any

from synth.sandbox.inside import frames, programs, rpc, values

_MUTABLE = (list, dict, set, bytearray)
_FIXED = (int, float, str, bytes, tuple, frozenset)
_MOST_BASES = 10
_MOST_CAUSES = 3


def serve(payload: dict[str, Any], _results: int, channel: int) -> int:
    """Load `code`, tell what it defines, and answer until the tests hang up."""
    gc.enable()
    try:
        module = programs.load(payload["code"])
    except BaseException as error:  # noqa: BLE001
        frames.write(channel, {"load": programs.raised(error)})
        return 0
    if "numpy" in sys.modules:
        values.rebuild_arrays()
    answering = Target(channel)
    arrays = "numpy" in sys.modules
    frames.write(channel, {"names": answering.names(module), "arrays": arrays})
    try:
        while True:
            frames.write(channel, answering.answer(frames.read(channel)))
    except EOFError:
        return 0


class Target:
    """The objects that handles stand for, and how requests about them are answered."""

    def __init__(self, channel: int) -> None:
        self._channel = channel
        self._objects: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._token: Any = None

    def names(self, module: types.ModuleType) -> dict[str, Any]:
        """Return the module's names, each as a value, a module or a handle."""
        public = {name: found for name, found in vars(module).items() if not name.startswith("__")}
        return {
            name: ["m", found.__name__] if isinstance(found, types.ModuleType) else self.sent(found)
            for name, found in public.items()
        }

    def sent(self, value: Any) -> values.Tagged:
        """Return a value, tagged; a handle of what is none."""
        return values.encode(value, self._handle)

    def _handle(self, value: Any) -> values.Tagged:
        number = self._numbers.get(id(value))
        if number is None:
            number = self._numbers[id(value)] = len(self._objects)
            self._objects.append(value)  # it stays: its id must not become another's
        return ["h", number, *self._described(value)]

    def _described(self, value: Any) -> list[Any]:
        if isinstance(value, type):
            bases = [self._handle(base) for base in value.__bases__[:_MOST_BASES]]
            return ["class", str(value.__module__), str(value.__name__), bases]
        if isinstance(value, BaseException):
            return ["error", self._told_of(value)]
        if inspect.iscoroutine(value):
            return ["coroutine"]
        kind = self._handle(type(value))
        if not values.adds_to_builtin(type(value)):
            return ["object", kind]
        plain = values.lowered(value)
        if isinstance(plain, _FIXED) and not rpc.overrides_operators(type(value)):
            return ["fixed", kind, self.sent(plain)]
        return ["extended", kind, type(plain).__name__]

    def _told_of(self, error: BaseException, causes: int = 0) -> dict[str, Any]:
        name, message, line = programs.raised(error)
        plain = values.encode({key: value for key, value in vars(error).items() if _plain(value)})
        args = values.encode([arg if _plain(arg) else None for arg in error.args])
        told = {"name": name, "message": message, "line": line, "args": args, "attributes": plain}
        if isinstance(error.__cause__, BaseException) and causes < _MOST_CAUSES:
            told["cause"] = ["h", -1, "error", self._told_of(error.__cause__, causes + 1)]
        return {**told, "kind": self._handle(type(error))}

    def _received(self, tagged: values.Tagged) -> Any:
        return values.decode(tagged, self._known)

    def _known(self, tagged: list[Any]) -> Any:
        tag, told = tagged[0], tagged[1]
        if tag == "h":
            return self._objects[told]
        if tag == "type":
            return getattr(builtins, told)
        if tag == "error":
            return getattr(builtins, told)(*(self._received(arg) for arg in tagged[2:]))
        return self._function_of_tests(told, *tagged[2:])

    def _function_of_tests(self, number: int, name: str, doc: str | None) -> Callable[..., Any]:
        def called(*args: Any, **kwargs: Any) -> Any:
            return self._called_back(number, args, kwargs)

        called.__name__ = called.__qualname__ = name
        called.__doc__ = doc
        return called

    def _called_back(self, number: int, args: Any, kwargs: Any) -> Any:
        """Call a function of the tests."""
        token = self._token
        sent = {"args": self.sent(list(args)), "kwargs": self.sent(kwargs)}
        frames.write(self._channel, {"token": token, "back": number, **sent})
        while True:
            said = frames.read(self._channel)
            if "do" not in said:
                self._token = token
            if "returned" in said:
                return self._received(said["returned"])
            if "raised" in said:
                raise self._received(said["raised"])
            frames.write(self._channel, self.answer(said))

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return an operation's value, with the arguments that it changed, or what it raised."""
        self._token = asked.get("token")
        told = self._done(asked)
        return {"token": asked.get("token"), **told}

    def _done(self, asked: dict[str, Any]) -> dict[str, Any]:
        try:
            args = [self._received(arg) for arg in asked["args"]]
            kwargs = {name: self._received(arg) for name, arg in asked["kwargs"].items()}
            value = rpc.OPERATIONS[asked["do"]](*args, **kwargs)
            changed = self._changed(asked, args, kwargs)
            same = [place for place, arg in _places(args, kwargs) if arg is value and _mutable(arg)]
            return {"same": same[0], "changed": changed} if same else self._told(value, changed)
        except BaseException as error:  # noqa: BLE001
            return {"ex": self._handle(error)}

    def _told(self, value: Any, changed: list[Any]) -> dict[str, Any]:
        return {"ok": self.sent(value), "changed": changed}

    def _changed(self, asked: dict[str, Any], args: list[Any], kwargs: dict[str, Any]) -> list[Any]:
        before = [*asked["args"], *asked["kwargs"].values()]
        return [
            [place, now]
            for (place, value), sent in zip(_places(args, kwargs), before)  # noqa: B905 (3.9)
            if _mutable(value) and (now := self.sent(value)) != sent
        ]


def _places(args: list[Any], kwargs: dict[str, Any]) -> list[tuple[Any, Any]]:
    """Return arguments with their numbers or names."""
    return [*enumerate(args), *kwargs.items()]


def _mutable(value: Any) -> bool:
    return type(value) in _MUTABLE


def _plain(value: Any) -> bool:
    return value is None or type(value) in (bool, int, float, str, list, tuple, dict)
