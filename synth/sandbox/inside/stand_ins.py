"""The classes whose objects stand for the program's: each special method is a question to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synth.sandbox.inside import rpc

NUMBER, LINK, KIND, TOLD = "__synth_number__", "__synth_link__", "__synth_kind__", "__synth_told__"
_EXTENDED = (int, float, str, bytes, tuple, frozenset, list, dict, set)
_OF_THE_SOURCE = ("__signature__", "__code__", "__dataclass_fields__")
"""What is asked for by those who look at how a thing is written."""


class Held:
    """What a stand-in stands for, by its number."""

    def __init__(self, number: int) -> None:
        self.__dict__[NUMBER] = number


class CannotSplitError(BaseException):
    """Something that cannot pass between two processes; no test can catch this."""


class RemoteClass(type):
    """The type of the program's classes: calling one makes an object there."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> Any:
        """Return a class; one that the tests derive from the program's cannot be in two places."""
        if bases and LINK not in namespace:
            raise CannotSplitError(f"the class {name!r}, derived from one of the program's")
        return super().__new__(cls, name, bases, namespace)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make an object there."""
        return _link(cls).do("call", _held(cls), *args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        if (name.startswith("__") and name not in _OF_THE_SOURCE) or NUMBER not in cls.__dict__:
            raise AttributeError(name)
        found = _link(cls).do("getattr", _held(cls), name)
        if name in _OF_THE_SOURCE:
            raise CannotSplitError(name)
        return found

    def __setattr__(cls, name: str, value: Any) -> None:
        _link(cls).do("setattr", _held(cls), name, value)

    def __iter__(cls) -> Any:
        return iter(_link(cls).do("iter", _held(cls)))

    def __len__(cls) -> int:
        return _link(cls).do("len", _held(cls))

    def __getitem__(cls, key: Any) -> Any:
        return _link(cls).do("getitem", _held(cls), key)

    def __instancecheck__(cls, instance: Any) -> bool:
        if NUMBER not in getattr(instance, "__dict__", ()):
            return False
        return bool(_link(cls).believe("isinstance", instance, _held(cls)))


def _held(cls: type) -> Held:
    return Held(cls.__dict__[NUMBER])


def _link(one: Any) -> Any:
    return one.__dict__.get(LINK) or getattr(type(one), LINK)


class Remote(metaclass=RemoteClass):
    """An object of the program."""

    def __getattr__(self, name: str) -> Any:
        if name in _OF_THE_SOURCE:
            raise CannotSplitError(name)
        ask = _link(self).believe if name in _COMPARING_METHODS else _link(self).do
        return ask("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _link(self).do("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        _link(self).do("delattr", self, name)

    @property
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The builtin that it extends, or the kind of thing that it is, for `isinstance`."""
        return self.__dict__.get(KIND) or type(self)


# What tests call to compare: whoever answers is told what is expected.
_COMPARING_METHODS = frozenset(
    [
        "startswith",
        "endswith",
        "issubset",
        "issuperset",
        "isdisjoint",
        "union",
        "intersection",
        "difference",
        "symmetric_difference",
        "removeprefix",
        "removesuffix",
        "partition",
        "rpartition",
        "equals",
        "isclose",
    ]
)


def _operation(name: str) -> Callable[..., Any]:
    def asked(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _link(self).do(name, self, *args, **kwargs)

    return asked


def _question(name: str) -> Callable[..., Any]:
    def asked(self: Any, *args: Any) -> Any:
        if self.__dict__.get(KIND) in _EXTENDED:
            return rpc.OPERATIONS[name](_held_value(self), *args)
        return _link(self).believe(name, self, *args)

    return asked


def _binary(name: str, *, reflected: bool = False) -> Callable[..., Any]:
    """Return an operation with another operand: told a plain one, the program may answer by it."""

    def asked(self: Any, other: Any) -> Any:
        ask = _link(self).do if isinstance(type(other), RemoteClass) else _link(self).believe
        return ask(name, other, self) if reflected else ask(name, self, other)

    return asked


def _comparison(name: str) -> Callable[..., Any]:
    def asked(self: Any, other: Any) -> Any:
        if self.__dict__.get(KIND) in _EXTENDED:
            return rpc.OPERATIONS[name](_held_value(self), _held_value(other))
        if not isinstance(type(other), RemoteClass):
            return NotImplemented
        return _link(self).believe(name, self, other)

    return asked


def _held_value(one: Any) -> Any:
    """Return what an object that extends a builtin holds now; any other as it is."""
    extends = isinstance(type(one), RemoteClass) and one.__dict__.get(KIND) in _EXTENDED
    return _link(one).do("plain", one) if extends else one


def _left(operation: str) -> Callable[..., Any]:
    """Return how a context is left: one that swallows an error is believed that it was none."""

    def left(self: Any, _kind: Any, error: Any, _traceback: Any) -> bool:
        if error is not None and not isinstance(error, (Exception, SystemExit)):
            return False  # ours
        forgiven = bool(_link(self).do(operation, self, *([] if error is None else [error])))
        if forgiven and error is not None:
            _link(self).weaken()
        return forgiven

    return left


async def _next(self: Any) -> Any:
    return _link(self).do("anext", self)


async def _entered(self: Any) -> Any:
    return _link(self).do("aenter", self)


async def _left_async(self: Any, *error: Any) -> Any:
    return _left("aexit")(self, *error)


def _made_error(cls: Any, *args: Any, **kwargs: Any) -> Any:
    return _link(cls).do("call", _held(cls), *args, **kwargs)


def _asked_of_error(self: Any, name: str) -> Any:
    if name.startswith("__") or NUMBER not in self.__dict__:
        raise AttributeError(name)
    return _link(self).do("getattr", Held(self.__dict__[NUMBER]), name)


def _derived(cls: Any) -> None:
    if LINK not in cls.__dict__:
        raise CannotSplitError(f"the class {cls.__name__!r}, derived from one of the program's")


def _asked_of_fixed(operation: str) -> Callable[..., Any]:
    def asked(self: Any, *args: Any) -> Any:
        return self.__dict__[LINK].do(operation, Held(self.__dict__[NUMBER]), *args)

    return asked


OF_ERRORS: dict[str, Any] = {
    "__new__": _made_error,
    "__init__": lambda *_args, **_kwargs: None,
    "__init_subclass__": classmethod(_derived),
    "__getattr__": _asked_of_error,
    "__str__": lambda self: self.__dict__.get(TOLD, ""),
}
"""What a class that mirrors an exception of the program defines."""
OF_FIXED: dict[str, Any] = {
    "__getattr__": _asked_of_fixed("getattr"),
    **{f"__{name}__": _asked_of_fixed(name) for name in ("str", "repr", "format")},
    "synth_extends": True,
}
"""What a value that extends a number, a text or a tuple has beside it; see `adds_to_builtin`."""
DOCSTRING = property(lambda self: _link(self).do("getattr", self, "__doc__"))
"""What a class that mirrors one of the program has as its docstring: that of the program."""


def _fitted() -> None:
    """Give Remote the special methods, which Python looks up on the class alone."""
    for name in rpc.COMPARING:
        type.__setattr__(Remote, f"__{name}__", _comparison(name))
    for name in (*rpc.BINARY, "divmod"):
        special = name.rstrip("_")
        type.__setattr__(Remote, f"__{special}__", _binary(name))
        type.__setattr__(Remote, f"__r{special}__", _binary(name, reflected=True))
    for name in rpc.IN_PLACE:
        type.__setattr__(Remote, f"__{name}__", _binary(name))
    for name in ("bool", "contains"):
        type.__setattr__(Remote, f"__{name}__", _question(name))
    for name in (*rpc.UNARY, *rpc.ASKED):
        type.__setattr__(Remote, f"__{name}__", _operation(name))
    fitting = {
        "doc": DOCSTRING,
        "exit": _left("exit"),
        "aenter": _entered,
        "aexit": _left_async,
        "anext": _next,
    }
    for name, found in fitting.items():
        type.__setattr__(Remote, f"__{name}__", found)


_fitted()
