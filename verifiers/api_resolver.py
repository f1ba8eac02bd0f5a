"""Whether names exist in installed packages: this file's text runs inside the sandbox.

So it imports nothing of synth, and whatever an import does happens where it can do no harm.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from types import FunctionType, ModuleType
from typing import Any

CALL = "()"
"""The step of a path that calls what stands before it."""

_ANY = object()
_PLAIN = {
    "builtins": "str bytes bytearray int float complex bool list tuple dict set frozenset range",
    "collections": "deque Counter OrderedDict defaultdict",
    "datetime": "datetime date time timedelta timezone",
    "decimal": "Decimal",
    "fractions": "Fraction",
}
_FORWARDS = {
    **dict.fromkeys(("json.dump", "json.dumps"), "json.JSONEncoder"),
    **dict.fromkeys(("json.load", "json.loads"), "json.JSONDecoder"),
    **dict.fromkeys(
        ("subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output"),
        "subprocess.Popen",
    ),
}
"""Much used functions that hand their other keywords on, and to what."""
_ELSEWHERE = {
    "asyncio": "ProactorEventLoop WindowsProactorEventLoopPolicy WindowsSelectorEventLoopPolicy",
    "ctypes": "FormatError GetLastError HRESULT OleDLL WINFUNCTYPE WinDLL WinError oledll windll",
    "os": "O_BINARY O_NOINHERIT O_TEMPORARY P_DETACH add_dll_directory startfile",
    "select": "kevent kqueue",
    "signal": "CTRL_BREAK_EVENT CTRL_C_EVENT SIGBREAK",
    "subprocess": "CREATE_NEW_CONSOLE CREATE_NEW_PROCESS_GROUP CREATE_NO_WINDOW STARTUPINFO",
    "sys": "getwindowsversion winver",
}
"""Much used names that the standard library has on Windows or macOS only."""
_HOLDING = (str, tuple, list, dict, set, frozenset)
_REPLACED_BY = "cls"
"""The keyword that names something else to hand them to."""


class _MissingError(Exception):
    """Something that is not there: the answer to the query."""

    def __init__(self, status: str, holder: str, name: str, known: Sequence[str] = ()) -> None:
        near = difflib.get_close_matches(name, sorted({*known}), n=3, cutoff=0.6)
        self.answer: dict[str, Any] = {
            "status": status,
            "holder": holder,
            "name": name,
            "near": near,
        }


class _UnknownError(Exception):
    """Something that cannot be known without running the program."""


def resolve(queries: Sequence[dict[str, Any]], packages: Sequence[str]) -> list[dict[str, Any]]:
    """Return for each query what is wrong with it, as `status` and details.

    A query is a `module`, the `steps` from there (names, and "()" for a call), and of a call the
    `keywords` and the number of `positional` arguments, or None. Statuses: `found`; `unknown` (it
    cannot be known); `unknown_package` (neither the standard library nor a package that is named);
    `missing_module`, `missing_attribute`, `unknown_keyword`, `too_many_arguments`. Packages are
    names of distributions or of imports. Raises LookupError for one that is not there or does not
    load.
    """
    tops = _tops(packages)
    return [_answer(query, tops) for query in queries]


def _tops(packages: Sequence[str]) -> set[str]:
    """Return the names under which the named packages are imported."""
    if not packages:
        return set()
    tops: set[str] = set()
    brought = importlib.metadata.packages_distributions()
    for package in packages:
        wanted = _normal(package)
        found = {top for top, by in brought.items() if wanted in {_normal(name) for name in by}}
        if not found and package not in brought and importlib.util.find_spec(package) is None:
            raise LookupError(f"{package!r} is not installed")
        tops |= found or {package}
    return tops


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _answer(query: dict[str, Any], tops: set[str]) -> dict[str, Any]:
    top = query["module"].partition(".")[0]
    if top not in sys.stdlib_module_names and top not in tops:
        return {"status": "unknown_package", "name": top}
    if top in tops:
        _load(top)
    try:
        _check(query, top)
    except _MissingError as missing:
        return missing.answer
    except _UnknownError:
        return {"status": "unknown"}
    except (Exception, SystemExit):  # noqa: BLE001 (an import may raise whatever it likes)
        return {"status": "unknown"}
    return {"status": "found"}


def _load(top: str) -> None:
    try:
        importlib.import_module(top)
    except (Exception, SystemExit) as error:
        raise LookupError(f"{top!r} does not load: {type(error).__name__}: {error}") from error


def _check(query: dict[str, Any], top: str) -> None:
    value, holder, bound = _module(query["module"], top), query["module"], False
    for step in query["steps"]:
        if step == CALL:
            value, bound = _Instance(value), False
        else:
            value, bound = _attribute(value, step, holder)
            holder = f"{holder}.{step}"
    if query["keywords"] or query["positional"]:
        # A function that is there exists, even where nobody can read what it takes.
        with suppress(*([] if query["keywords"] else [_UnknownError])):
            _check_call(value, query, holder, bound=bound)


class _Instance:
    """A value of which only the class is known."""

    def __init__(self, made_by: Any) -> None:
        plain = _PLAIN.get(getattr(made_by, "__module__", ""), "").split()
        if not isinstance(made_by, type) or made_by.__name__ not in plain:
            raise _UnknownError
        self.cls: type[Any] = made_by


def _module(name: str, top: str) -> ModuleType:
    """Import a module; what its import does or raises proves nothing about its name."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _UnknownError from error
        missing = error.name
    if missing == top:
        # Named packages are there: this is a module that the standard library has elsewhere.
        raise _UnknownError
    parent, _, last = missing.rpartition(".")
    raise _MissingError("missing_module", parent, last, _submodules(_module(parent, top)))


def _submodules(module: ModuleType) -> list[str]:
    return [found.name for found in pkgutil.iter_modules(getattr(module, "__path__", ()))]


def _attribute(value: Any, name: str, holder: str) -> tuple[Any, bool]:
    """Return an attribute, and whether it is a method that has its object already."""
    if isinstance(value, _Instance):
        return _of_instance(value.cls, name, holder), True
    found = getattr(value, name, _ANY)
    if found is _ANY and isinstance(value, ModuleType):
        found = _submodule(value, name)
    if found is not _ANY:
        return found, False
    if name in _ELSEWHERE.get(holder, "").split() or not _is_complete(value, name):
        raise _UnknownError
    raise _MissingError("missing_attribute", holder, name, _names(value))


def _of_instance(cls: type[Any], name: str, holder: str) -> Any:
    if not hasattr(cls, name):
        raise _MissingError("missing_attribute", holder, name, _names(cls))
    found = getattr(cls, name)
    if not callable(found):
        raise _UnknownError
    return found


def _submodule(module: ModuleType, name: str) -> Any:
    if not hasattr(module, "__path__"):
        return _ANY
    try:
        return importlib.import_module(f"{module.__name__}.{name}")
    except ModuleNotFoundError as error:
        if error.name == f"{module.__name__}.{name}":
            return _ANY
        raise _UnknownError from error


def _is_complete(value: Any, name: str) -> bool:
    """Return whether an attribute that a value lacks now is one that it never has."""
    if isinstance(value, ModuleType):
        return True
    if isinstance(value, type):
        declared = any(name in vars(base).get("__annotations__", ()) for base in value.__mro__)
        return not declared and not _is_dynamic(value)
    # Without a `__dict__` nobody can add an attribute later; None stands for another value.
    fixed = not hasattr(value, "__dict__") and not _is_dynamic(value)
    return value is not None and (fixed or isinstance(value, FunctionType))


def _is_dynamic(value: Any) -> bool:
    """Return whether a value's class makes up attributes when they are asked for."""
    return any(
        "__getattr__" in vars(base) or isinstance(vars(base).get("__getattribute__"), FunctionType)
        for base in type(value).__mro__
    )


def _names(value: Any) -> list[str]:
    """Return what a value has, whichever of its submodules are imported already."""
    names = {*dir(value), *(_submodules(value) if isinstance(value, ModuleType) else ())}
    return [name for name in names if not name.startswith("_")]


def _check_call(value: Any, query: dict[str, Any], holder: str, *, bound: bool) -> None:
    if isinstance(value, _Instance) or not callable(value):
        raise _UnknownError
    parameters = _parameters(value)[1 if bound else 0 :]
    _check_keywords(value, parameters, query["keywords"], holder)
    kinds = [parameter.kind for parameter in parameters]
    most = sum(kind in {0, 1} for kind in kinds)
    given: int | None = query["positional"]
    if given is not None and given > most and inspect.Parameter.VAR_POSITIONAL not in kinds:
        if any(isinstance(layer, FunctionType) for layer in list(_layers(value))[:-1]):
            raise _UnknownError
        missing = _MissingError("too_many_arguments", holder, "")
        missing.answer |= {"given": given, "most": most}
        raise missing


def _parameters(value: Callable[..., Any]) -> list[inspect.Parameter]:
    """Return the parameters that a call may give; unknown for many callables written in C."""
    if not isinstance(value, type) and not inspect.isroutine(value):
        raise _UnknownError
    try:
        return list(inspect.signature(value).parameters.values())
    except (TypeError, ValueError) as error:
        raise _UnknownError from error


def _check_keywords(
    value: Any, parameters: Sequence[inspect.Parameter], keywords: Sequence[str], holder: str
) -> None:
    if any(parameter.kind == inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        if holder not in _FORWARDS or _REPLACED_BY in keywords:
            return
        parameters = [*parameters, *_parameters(_object(_FORWARDS[holder]))]
    by_name = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    taken = [parameter.name for parameter in parameters if parameter.kind in by_name]
    for keyword in keywords:
        if keyword in taken:
            continue
        if any(_mentions(layer, keyword) for layer in list(_layers(value))[:-1]):
            raise _UnknownError
        raise _MissingError("unknown_keyword", holder, keyword, taken)


def _object(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def _layers(value: Any) -> Iterator[Any]:
    """Yield a function and what its decorators wrapped, from outside in."""
    for _ in range(20):
        yield value
        if not hasattr(value, "__wrapped__"):
            return
        value = value.__wrapped__


def _mentions(decorator: Any, keyword: str) -> bool:
    """Return whether a decorator's function knows a keyword, which it may take for itself."""
    code = getattr(decorator, "__code__", None)
    if code is None:
        return False
    cells: list[Any] = [
        cell.cell_contents for cell in getattr(decorator, "__closure__", None) or ()
    ]
    return keyword in {*code.co_consts, *code.co_varnames} or any(
        keyword in cell for cell in cells if isinstance(cell, _HOLDING)
    )
