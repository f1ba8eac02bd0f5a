"""The classes whose objects stand for the program's: each special method is a question to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synth.sandbox.inside import rpc

NUMBER, LINK = "__synth_number__", "__synth_link__"


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
        if name.startswith("__"):
            raise AttributeError(name)
        return _link(cls).do("getattr", _held(cls), name)

    def __setattr__(cls, name: str, value: Any) -> None:
        _link(cls).do("setattr", _held(cls), name, value)

    def __iter__(cls) -> Any:
        return iter(_link(cls).do("iter", _held(cls)))

    def __len__(cls) -> int:
        return _link(cls).do("len", _held(cls))

    def __getitem__(cls, key: Any) -> Any:
        return _link(cls).do("getitem", _held(cls), key)

    def __instancecheck__(cls, instance: Any) -> bool:
        if not isinstance(type(instance), RemoteClass):
            return False
        return bool(_link(cls).believe("isinstance", instance, _held(cls)))


def _held(cls: type) -> Held:
    return Held(cls.__dict__[NUMBER])


def _link(one: Any) -> Any:
    return one.__dict__.get(LINK) or getattr(type(one), LINK)


class Remote(metaclass=RemoteClass):
    """An object of the program."""

    def __getattr__(self, name: str) -> Any:
        return _link(self).do("getattr", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        _link(self).do("setattr", self, name, value)

    def __delattr__(self, name: str) -> None:
        _link(self).do("delattr", self, name)

    __hash__ = object.__hash__


def _operation(name: str) -> Callable[..., Any]:
    def asked(self: Any, *args: Any, **kwargs: Any) -> Any:
        return _link(self).do(name, self, *args, **kwargs)

    return asked


def _question(name: str) -> Callable[..., Any]:
    def asked(self: Any, *args: Any) -> Any:
        return _link(self).believe(name, self, *args)

    return asked


def _reflected(name: str) -> Callable[..., Any]:
    def asked(self: Any, other: Any) -> Any:
        return _link(self).do(name, other, self)

    return asked


def _comparison(name: str) -> Callable[..., Any]:
    def asked(self: Any, other: Any) -> Any:
        if not isinstance(type(other), RemoteClass):
            return NotImplemented
        return _link(self).believe(name, self, other)

    return asked


DOCSTRING = property(lambda self: _link(self).do("getattr", self, "__doc__"))
"""What a class that mirrors one of the program has as its docstring: that of the program."""


def _fitted() -> None:
    """Give Remote the special methods, which Python looks up on the class alone."""
    for name in rpc.COMPARING:
        type.__setattr__(Remote, f"__{name}__", _comparison(name))
    for name in rpc.BINARY:
        special = name.rstrip("_")
        type.__setattr__(Remote, f"__{special}__", _operation(name))
        type.__setattr__(Remote, f"__r{special}__", _reflected(name))
    for special, name in (("neg", "neg"), ("pos", "pos"), ("abs", "abs"), ("invert", "invert")):
        type.__setattr__(Remote, f"__{special}__", _operation(name))
    for name in ("bool", "contains"):
        type.__setattr__(Remote, f"__{name}__", _question(name))
    for name in ("call", "len", "iter", "next", "getitem", "setitem", "delitem"):
        type.__setattr__(Remote, f"__{name}__", _operation(name))
    for name in ("int", "float", "index", "str", "repr", "round", "enter"):
        type.__setattr__(Remote, f"__{name}__", _operation(name))
    type.__setattr__(Remote, "__exit__", lambda self, *_error: _link(self).do("exit", self))


_fitted()
