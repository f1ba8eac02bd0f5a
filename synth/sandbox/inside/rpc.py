"""The operations that tests may ask of values which stay where the program is."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any


def _awaited(awaitable: Any) -> Any:
    import asyncio  # it makes a process much larger, which each fork would pay for

    async def wait() -> Any:
        return await awaitable

    return asyncio.run(wait())


def _call(function: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


COMPARING = ("eq", "ne", "lt", "le", "gt", "ge")
"""Their truth, between two values of the program, is the program's own word."""
BINARY = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"),
    *("and_", "or_", "xor", "lshift", "rshift"),
)
UNARY = ("neg", "pos", "abs", "invert")
OPERATIONS: dict[str, Callable[..., Any]] = {
    **{name: getattr(operator, name) for name in (*COMPARING, *BINARY, *UNARY)},
    **{name: getattr(operator, name) for name in ("contains", "getitem", "setitem", "delitem")},
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
    "hash": hash,
    "round": round,
    "await": _awaited,
    "isinstance": isinstance,
    "enter": lambda manager: type(manager).__enter__(manager),
    "exit": lambda manager: type(manager).__exit__(manager, None, None, None),
}
