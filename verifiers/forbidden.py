"""Imports and calls that a program must not make, as far as its text shows them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

_IMPORTERS = ("__import__", "builtins.__import__", "importlib.import_module")


class Found(NamedTuple):
    """A forbidden thing: its dotted name, and its line, from 1."""

    name: str
    line: int


def forbidden_imports(tree: ast.Module, modules: Sequence[str]) -> list[Found]:
    """Return the imports of these modules or of what lies below them, in the order of lines.

    An import in any scope counts, under any alias, and so does one by `__import__` or
    `importlib.import_module` with a literal name. A relative import is none of them.
    """
    found = [
        found
        for found in (*_imports(tree), *_literal_imports(tree))
        if any(f"{found.name}.".startswith(f"{module}.") for module in modules)
    ]
    return sorted(set(found), key=lambda one: (one.line, one.name))


def _imports(tree: ast.Module) -> Iterator[Found]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Found(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (Found(f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def _literal_imports(tree: ast.Module) -> Iterator[Found]:
    for name, call in _calls(tree):
        if name not in _IMPORTERS:
            continue
        for value in (*call.args[:1], *(one.value for one in call.keywords if one.arg == "name")):
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield Found(value.value, call.lineno)


def forbidden_calls(tree: ast.Module, names: Sequence[str]) -> list[Found]:
    """Return the calls of these functions, in the order of lines.

    A name is a builtin's (`eval`), which the program must not bind itself anywhere, or dotted
    (`os.system`), as it is known where it comes from: an alias of an import is seen through.
    """
    found = {Found(name, call.lineno) for name, call in _calls(tree) if name in names}
    return sorted(found, key=lambda one: (one.line, one.name))


def _calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Yield calls of names that are imported or builtin, with where the name comes from."""
    origins, bound = _origins(tree), set(_bound(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            first, *rest = _dotted(node.func)
            if first in origins or (first and not rest and first not in bound):
                yield ".".join([origins.get(first, first), *rest]), node


def _dotted(node: ast.expr) -> list[str]:
    """Return the parts of `a.b.c`; one empty part for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return [node.id, *reversed(parts)] if isinstance(node, ast.Name) else [""]


def _origins(tree: ast.Module) -> dict[str, str]:
    """Return what imports bind, anywhere, with the dotted name that it stands for."""
    origins: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                origins[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                origins[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return origins


def _bound(tree: ast.Module) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
