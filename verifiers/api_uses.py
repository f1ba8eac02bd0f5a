"""What a program uses of the modules that it imports, and of builtins, as its text shows it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .api_bindings import bind, path_of
from .api_scopes import Path, Place, places

_ASKS_BY_NAME = {"hasattr", "getattr", "setattr", "delattr"}


class Use(NamedTuple):
    """One thing that must exist, and how it is called there."""

    path: Path
    line: int
    """From 1."""
    keywords: tuple[str, ...] = ()
    positional: int | None = None
    """How many; None where it is not called, or nobody can count them."""


def uses(tree: ast.Module) -> list[Use]:
    """Return what a program uses, in the order of its lines.

    Left out is what nobody can know from the text: names that are bound again, relative imports,
    attributes that the program itself sets or asks for by name, and whatever stands where its lack
    is provided for (`except ImportError`, `if hasattr(…)`, a test of a version or platform). Raises
    RecursionError for a program that nests very deeply.
    """
    found = places(tree)
    bind(found)
    unsure = {f"{path}" for path in _unsure(found)}
    used = [use for use in _used(found) if unsure.isdisjoint(use.path.prefixes())]
    return sorted(used, key=lambda use: use.line)


def _unsure(found: Sequence[Place]) -> Iterator[Path]:
    """Yield the attributes that a program sets, deletes, or asks for by name."""
    for node, scope, _ in found:
        path = None
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            path = path_of(node, scope)
        elif isinstance(node, ast.Call) and len(node.args) > 1 and _asks_by_name(node):
            of, name = path_of(node.args[0], scope), node.args[1]
            if of and isinstance(name, ast.Constant):
                path = Path(of.module, (*of.steps, str(name.value)))
        if path:
            yield path


def _asks_by_name(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id in _ASKS_BY_NAME


def _used(found: Sequence[Place]) -> Iterator[Use]:
    inner: set[int] = set()
    for place in found:
        node = place.node
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _imports(node) if "imports" not in place.guard else ()
        elif isinstance(node, ast.Call | ast.Attribute):
            inner.add(id(node.func if isinstance(node, ast.Call) else node.value))
            if id(node) not in inner or isinstance(node, ast.Call):
                yield from _named_use(node, place)


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[Use]:
    if isinstance(node, ast.Import):
        yield from (Use(Path(alias.name), node.lineno) for alias in node.names)
    elif node.module and not node.level:
        for alias in node.names:
            steps = () if alias.name == "*" else (alias.name,)
            yield Use(Path(node.module, steps), node.lineno)


def _named_use(node: ast.Call | ast.Attribute, place: Place) -> Iterator[Use]:
    called = node.func if isinstance(node, ast.Call) else node
    path = path_of(called, place.scope)
    if path is None or "names" in place.guard:
        return
    line = called.end_lineno or node.lineno
    if isinstance(node, ast.Attribute) or "arguments" in place.guard:
        yield Use(path, line)
        return
    keywords = tuple(sorted(one.arg for one in node.keywords if one.arg))
    counted = not any(isinstance(one, ast.Starred) for one in node.args)
    yield Use(path, line, keywords, len(node.args) if counted else None)
