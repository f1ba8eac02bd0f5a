"""The operations that tests may ask of values which stay where the program is."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from synth.sandbox.inside import values

_loops: list[Any] = []


def _awaited(awaitable: Any) -> Any:
    import asyncio  # it makes a process much larger, which each fork would pay for

    async def wait() -> Any:
        return await awaitable

    if not _loops:  # one for all: what a program keeps may belong to its loop
        _loops.append(asyncio.new_event_loop())
    return _loops[0].run_until_complete(wait())


def _leave(manager: Any, *error: Any) -> Any:
    return type(manager).__exit__(manager, *_kind_and_error(error))


def _leave_async(manager: Any, *error: Any) -> Any:
    return _awaited(type(manager).__aexit__(manager, *_kind_and_error(error)))


def _kind_and_error(error: tuple[Any, ...]) -> tuple[Any, Any, None]:
    return (type(error[0]), error[0], None) if error else (None, None, None)


def _call(function: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


COMPARING = ("eq", "ne", "lt", "le", "gt", "ge")
"""Their truth, between two values of the program, is the program's own word."""
BINARY = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"),
    *("and_", "or_", "xor", "lshift", "rshift"),
)
IN_PLACE = tuple(f"i{name.rstrip('_')}" for name in BINARY)
UNARY = ("neg", "pos", "abs", "invert")
ASKED = (
    *("call", "len", "iter", "next", "getitem", "setitem", "delitem", "reversed", "hash"),
    *("int", "float", "index", "str", "repr", "format", "bytes", "round", "floor", "ceil", "trunc"),
    *("enter", "aiter"),
)
"""Other special methods whose value is taken as it comes."""
OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in (*COMPARING, *BINARY, *IN_PLACE, *UNARY)},
    **{name: getattr(operator, name) for name in ("contains", "getitem", "setitem", "delitem")},
    "divmod": divmod,
    "call": _call,
    "getattr": getattr,
    "setattr": setattr,
    "delattr": delattr,
    "len": len,
    "iter": iter,
    "next": next,
    "bool": bool,
    "int": int,
    "float": float,
    "index": operator.index,
    "str": str,
    "repr": repr,
    "format": format,
    "bytes": bytes,
    "hash": hash,
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
    "trunc": math.trunc,
    "reversed": reversed,
    "plain": values.lowered,
    "await": _awaited,
    "isinstance": isinstance,
    "enter": lambda manager: type(manager).__enter__(manager),
    "exit": _leave,
    "aenter": lambda manager: _awaited(type(manager).__aenter__(manager)),
    "aexit": _leave_async,
    "aiter": lambda one: type(one).__aiter__(one),
    "anext": lambda one: _awaited(type(one).__anext__(one)),
}
_OPERATORS = frozenset(
    f"__{kind}{name.rstrip('_')}__"
    for name in (*BINARY, *UNARY, "divmod", "getitem", "len", "iter", "contains", "bool", "call")
    for kind in ("", "r", "i")
)


def overrides_operators(kind: type) -> bool:
    """Return whether a class that extends a builtin reckons in its own way."""
    own = [one for one in kind.__mro__ if one.__module__ not in ("builtins", "enum", "typing")]
    return any(_OPERATORS & vars(one).keys() for one in own)
