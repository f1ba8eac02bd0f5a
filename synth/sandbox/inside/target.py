"""The program's side of split tests: it does what it is asked and never sees what is expected.

Values that are plain pass as they are; all others stay here and pass as handles. An argument that
the call changed is sent back, so that the tests see it changed, as they would in one process.
"""

from __future__ import annotations

import gc
import inspect
import sys
import types
from typing import Any

from synth.sandbox.inside import frames, programs, rpc, values

_MUTABLE = (list, dict, set, bytearray)


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
        if isinstance(value, type):
            return ["h", number, "class", _lineage(value)]
        if inspect.iscoroutine(value):
            return ["h", number, "coroutine"]
        return ["h", number, "object", self._handle(type(value))]

    def _received(self, tagged: values.Tagged) -> Any:
        return values.decode(tagged, self._known)

    def _known(self, tagged: list[Any]) -> Any:
        if tagged[0] == "h":
            return self._objects[tagged[1]]
        return lambda *args, **kwargs: self._called_back(tagged[1], args, kwargs)

    def _called_back(self, number: int, args: Any, kwargs: Any) -> Any:
        """Call a function of the tests."""
        asked = {"back": number, "args": self.sent(list(args)), "kwargs": self.sent(kwargs)}
        frames.write(self._channel, asked)
        while True:
            said = frames.read(self._channel)
            if "returned" in said:
                return self._received(said["returned"])
            if "raised" in said:
                raise RuntimeError(f"a function of the tests raised {said['raised']}")
            frames.write(self._channel, self.answer(said))

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Return an operation's value, with the arguments that it changed, or what it raised."""
        try:
            args = [self._received(arg) for arg in asked["args"]]
            kwargs = {name: self._received(arg) for name, arg in asked["kwargs"].items()}
            value = rpc.OPERATIONS[asked["do"]](*args, **kwargs)
            return {"ok": self.sent(value), "changed": self._changed(asked, args, kwargs)}
        except BaseException as error:  # noqa: BLE001
            return {"ex": self._raised(error)}

    def _changed(self, asked: dict[str, Any], args: list[Any], kwargs: dict[str, Any]) -> Any:
        given = [*enumerate(args), *kwargs.items()]
        before = [*asked["args"], *asked["kwargs"].values()]
        return [
            [place, now]
            for (place, value), sent in zip(given, before)  # noqa: B905 (Python 3.9)
            if type(value) in _MUTABLE and (now := self.sent(value)) != sent
        ]

    def _raised(self, error: BaseException) -> dict[str, Any]:
        name, message, line = programs.raised(error)
        plain = values.encode({key: value for key, value in vars(error).items() if _plain(value)})
        args = values.encode([arg if _plain(arg) else None for arg in error.args])
        told = {"name": name, "message": message, "line": line, "args": args, "attributes": plain}
        return {**told, "lineage": _lineage(type(error))}


def _plain(value: Any) -> bool:
    return value is None or type(value) in (bool, int, float, str, list, tuple, dict)


def _lineage(kind: type) -> list[list[str]]:
    """Return module and name of a class and of those that it extends."""
    return [[str(one.__module__), str(one.__name__)] for one in kind.__mro__[:20]]
