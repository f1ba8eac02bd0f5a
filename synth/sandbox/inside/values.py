"""Values as JSON that says their exact type: what passes between processes that do not trust.

Only builtin values pass, and a few of the standard library that are values too. A subclass passes
as the builtin that it extends, so no method of the sender decides how the receiver compares it. No
pickle: reading a value runs no code of whoever wrote it.
"""

from __future__ import annotations

import collections
import datetime
import decimal
import fractions
import functools
import importlib
import math
from collections.abc import Callable
from typing import Any

DEEPEST = 60
UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError)
"""What `decode` raises for what `encode` never wrote."""
_FEW = 1000
_MOST_ALIKE = 50
_LONGEST_FRACTION = 10_000
_EXACT = 2**53
Tagged = Any
"""None, a bool, a text, a small number, or a list of a tag and what it needs."""


class Opaque:
    """What came back and is no value: equal to nothing, itself included."""

    __slots__ = ("kind",)

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<{self.kind} object>"


def _as_opaque(value: object) -> Tagged:
    return ["?", type(value).__name__[:80]]


def encode(value: Any, other: Callable[[Any], Tagged] = _as_opaque, depth: int = 0) -> Tagged:
    """Return a value as tagged JSON; `other` makes it of what is no value, or too deep."""
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is int or kind is float:
        return _number(value)
    if depth > DEEPEST:
        return other(value)
    tag = _TAGS.get(kind)
    if tag is not None:
        return [tag, *(encode(item, other, depth + 1) for item in value)]
    if kind is dict:
        return _pairs(dict.items(value), other, depth)
    return _encode_rare(value, kind, other, depth)


def _number(value: Any) -> Tagged:
    if type(value) is int:
        return value if -_EXACT < value < _EXACT else ["i", hex(value)]
    return value if math.isfinite(value) else ["f", repr(value)]


_TAGS: dict[type, str] = {list: "l", tuple: "t", set: "s", frozenset: "z", collections.deque: "q"}


def _pairs(items: Any, other: Callable[[Any], Tagged], depth: int) -> Tagged:
    deeper = depth + 1
    return ["d", *([encode(key, other, deeper), encode(one, other, deeper)] for key, one in items)]


def _encode_rare(value: Any, kind: type, other: Callable[[Any], Tagged], depth: int) -> Tagged:
    if other is not _as_opaque and adds_to_builtin(kind):
        return other(value)
    if issubclass(kind, tuple) and _is_named(kind):
        items = (encode(item, other, depth + 1) for item in tuple.__iter__(value))
        return ["nt", kind.__name__, list(kind._fields), *items]  # type: ignore[attr-defined]
    if kind in _KEYED:
        return [_KEYED[kind], _factory(value), *_pairs(dict.items(value), other, depth)[1:]]
    if kind in _WRITE:
        return _WRITE[kind](value)
    if issubclass(kind, _LOWERABLE):
        return encode(lowered(value), other, depth)
    return _of_library(value, kind, other, depth)


def _factory(value: Any) -> str:
    """Return the name of what makes a missing item, where that is a builtin."""
    made_by = getattr(value, "default_factory", None)
    return made_by.__name__ if made_by in _FACTORIES else ""


_FACTORIES = (int, float, str, list, dict, set, tuple, bool)
_KEYED: dict[type, str] = {
    collections.Counter: "C",
    collections.OrderedDict: "O",
    collections.defaultdict: "dd",
}


_EXTENDED = (int, float, str, bytes, tuple, list, dict, set, frozenset)


@functools.lru_cache(maxsize=256)
def adds_to_builtin(kind: type) -> bool:
    """Return whether a class gives a builtin's values methods or properties that it has not."""
    extended = next((one for one in kind.__mro__ if one in _EXTENDED), None)
    if extended in (None, kind) or kind.__module__ == "collections":
        return False
    own = [one for one in kind.__mro__ if one.__module__ not in ("builtins", "typing", "enum")]
    names = {name for one in own for name in vars(one).keys() - _fields(one)}
    return any(_is_public(name) and not hasattr(extended, name) for name in names)


def _is_public(name: str) -> bool:
    return name == "__getattr__" or not name.startswith("_")


def _fields(kind: type) -> frozenset[str]:
    fields = getattr(kind, "_fields", ())
    return frozenset(fields if type(fields) is tuple else ())


def _is_named(kind: type) -> bool:
    fields = getattr(kind, "_fields", None)
    return type(fields) is tuple and all(type(field) is str for field in fields)


def _of_library(value: Any, kind: type, other: Callable[[Any], Tagged], depth: int) -> Tagged:
    """Return a date or time; numpy's scalar as a number, its array as dtype and nested lists."""
    if kind in _DATES and type(getattr(value, "tzinfo", None)) in (type(None), datetime.timezone):
        return ["at", kind.__name__, value.isoformat()]
    module = kind.__module__.partition(".")[0]
    if (module, kind.__name__) in _TEXTS:
        return ["lib", module, kind.__name__, str(value)[:_LONGEST_FRACTION]]
    if module != "numpy":
        return other(value)
    if kind.__name__ == "ndarray" and value.dtype.kind in "biufcSU":
        return ["nd", value.dtype.str, encode(value.tolist(), other, depth + 1)]
    if kind.__name__ != "ndarray" and getattr(value, "ndim", None) == 0:
        return encode(value.item(), other, depth + 1)
    return other(value)


# A zygote does not load what few programs use; see DESIGN.md.
_TEXTS = (("uuid", "UUID"), ("pathlib", "PosixPath"), ("pathlib", "PurePosixPath"))


def _text_made(module: str, name: str, text: str) -> Any:
    if (module, name) not in _TEXTS:
        raise ValueError(f"no value: {name!r}")
    return getattr(importlib.import_module(module), name)(text)


_rebuild: list[Callable[[Any, str], Any]] = []


def rebuild_arrays() -> None:
    """Have `decode` make arrays of arrays in this process, where numpy can be had; else lists."""
    try:
        numpy = importlib.import_module("numpy")
    except ImportError:
        return
    _rebuild[:] = [lambda items, dtype: numpy.array(items, dtype=dtype)]


_DATES = (datetime.date, datetime.datetime, datetime.time)


_WRITE: dict[type, Callable[[Any], Tagged]] = {
    bytes: lambda value: ["b", value.hex()],
    bytearray: lambda value: ["B", value.hex()],
    complex: lambda value: ["c", repr(value.real), repr(value.imag)],
    range: lambda value: ["r", value.start, value.stop, value.step],
    decimal.Decimal: lambda value: ["D", str(value)],
    fractions.Fraction: lambda value: ["F", hex(value.numerator), hex(value.denominator)],
    datetime.timedelta: lambda value: ["td", value.days, value.seconds, value.microseconds],
    type(...): lambda value: ["..."],
}
# Methods of the builtins themselves: a subclass has no say in what it is lowered to.
_LOWERED: tuple[tuple[type, Callable[[Any], Any]], ...] = (
    (int, lambda value: int.__add__(value, 0)),
    (float, lambda value: float.__mul__(value, 1.0)),
    (str, str.__str__),
    (bytes, lambda value: bytes.__add__(value, b"")),
    (list, lambda value: list(list.__iter__(value))),
    (tuple, lambda value: tuple(tuple.__iter__(value))),
    (dict, lambda value: dict(dict.items(value))),
    (set, lambda value: set(set.__iter__(value))),
    (frozenset, lambda value: frozenset(frozenset.__iter__(value))),
    (type({}.keys()), set),
    (type({}.values()), list),
)
_LOWERABLE = tuple(plain for plain, _ in _LOWERED)


def lowered(value: Any) -> Any:
    """Return the builtin value that an object of a class which extends a builtin holds."""
    return next(lower(value) for plain, lower in _LOWERED if isinstance(value, plain))


def decode(tagged: Tagged, other: Callable[[list[Any]], Any] | None = None) -> Any:
    """Return the value; `other` makes something of what is none, else it is Opaque.

    Raises one of UNREADABLE for what `encode` never wrote, and where keys or items of a set were
    chosen to have the same hash, which would take minutes.
    """
    if not isinstance(tagged, list):
        return tagged
    tag = tagged[0]
    if tag in _MAKE:
        items = [decode(item, other) for item in tagged[1:]]
        return _MAKE[tag](_spread(items) if tag in "sz" else items)
    if tag in _NESTED:
        return _nested(tagged, other)
    if tag in _READ:
        return _READ[tag](tagged)
    if other is not None:
        return other(tagged)
    return Opaque(str(tagged[1]) if len(tagged) > 1 else "unknown")


@functools.lru_cache(maxsize=64)
def _named(name: str, fields: tuple[str, ...]) -> Any:
    if len(fields) > _FEW or not name.isidentifier():
        raise ValueError("no named tuple")
    made: Any = collections.namedtuple  # pyright: ignore[reportUntypedNamedTuple]
    return made(name, fields, rename=True)


def _spread(items: list[Any]) -> list[Any]:
    """Return items whose hashes differ, most of them."""
    if len(items) > _FEW:
        alike = collections.Counter(map(hash, items)).most_common(1)
        if alike[0][1] > _MOST_ALIKE:
            raise ValueError("items with the same hash")
    return items


def _nested(tagged: list[Any], other: Callable[[list[Any]], Any] | None) -> Any:
    if tagged[0] == "d":
        return _mapping(tagged[1:], other)
    if tagged[0] in _KEYED_MADE:
        return _KEYED_MADE[tagged[0]](tagged[1], _mapping(tagged[2:], other))
    if tagged[0] == "nt":
        return _named(tagged[1], tuple(tagged[2]))(*(decode(item, other) for item in tagged[3:]))
    items = decode(tagged[2], other)
    return _rebuild[0](items, tagged[1]) if _rebuild else items


def _mapping(pairs: Any, other: Callable[[list[Any]], Any] | None) -> dict[Any, Any]:
    keys = _spread([decode(key, other) for key, _ in pairs])
    return dict(zip(keys, [decode(value, other) for _, value in pairs]))  # noqa: B905 (Python 3.9)


_MAKERS = {one.__name__: one for one in _FACTORIES}
_KEYED_MADE: dict[str, Callable[[str, Any], Any]] = {
    "C": lambda _, items: collections.Counter(items),
    "O": lambda _, items: collections.OrderedDict(items),
    "dd": lambda name, items: collections.defaultdict(_MAKERS.get(name), items),
}
_NESTED = ("d", "nd", "nt", *_KEYED_MADE)
_MAKE: dict[str, Callable[[Any], Any]] = {tag: kind for kind, tag in _TAGS.items()}


def _fraction(numerator: str, denominator: str) -> fractions.Fraction:
    # Reducing it takes time that grows with the square of its length.
    if len(numerator) + len(denominator) > _LONGEST_FRACTION:
        raise ValueError("a fraction of more digits than anyone needs")
    return fractions.Fraction(int(numerator, 16), int(denominator, 16))


_TIMES = {kind.__name__: kind for kind in _DATES}
_READ: dict[str, Callable[[list[Any]], Any]] = {
    "i": lambda tagged: int(tagged[1], 16),
    "f": lambda tagged: float(tagged[1]),
    "b": lambda tagged: bytes.fromhex(tagged[1]),
    "B": lambda tagged: bytearray.fromhex(tagged[1]),
    "c": lambda tagged: complex(float(tagged[1]), float(tagged[2])),
    "r": lambda tagged: range(tagged[1], tagged[2], tagged[3]),
    "D": lambda tagged: decimal.Decimal(tagged[1]),
    "lib": lambda tagged: _text_made(tagged[1], tagged[2], tagged[3]),
    "F": lambda tagged: _fraction(tagged[1], tagged[2]),
    "at": lambda tagged: _TIMES[tagged[1]].fromisoformat(tagged[2]),
    "td": lambda tagged: datetime.timedelta(tagged[1], tagged[2], tagged[3]),
    "...": lambda tagged: ...,
}
