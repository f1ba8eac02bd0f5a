"""Which parts of a program its entry point can reach, by names: what tests can be blamed for."""

from __future__ import annotations

import ast
from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef
_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_ANNOTATIONS = ("annotation", "returns")


def functions_at(tree: ast.Module, entry_point: str) -> list[Function]:
    """Return the function that a dotted path names; of a class, its methods but the dunder ones."""
    found: ast.AST = tree
    for name in entry_point.split("."):
        named = [one for one in _definitions(found) if one.name == name]
        if not named:
            return []
        found = named[-1]
    if not isinstance(found, ast.ClassDef):
        return [found] if isinstance(found, Function) else []
    methods = [one for one in found.body if isinstance(one, Function)]
    return [one for one in methods if not one.name.startswith("__")]


def _definitions(within: ast.AST) -> list[_Definition]:
    body: list[ast.stmt] = getattr(within, "body", [])
    return [one for one in body if isinstance(one, _Definition)]


def parts_reached(tree: ast.Module, entry_point: str) -> list[int]:
    """Return the places of the top-level statements that the entry point can reach, in order.

    A statement is reached when it gives a value to a name that another reached one reads. Without
    an entry point all are reached. An `if __name__ == …` is not: no test runs it.
    """
    waiting = {place: part for place, part in enumerate(tree.body) if not _is_guard(part)}
    if not entry_point:
        return list(waiting)
    wanted, reached = {entry_point.partition(".")[0]}, set[int]()
    while found := [
        place for place, part in waiting.items() if not wanted.isdisjoint(_given_by(part))
    ]:
        reached.update(found)
        for place in found:
            wanted |= _read_by(waiting.pop(place))
    return sorted(reached)


def _is_guard(part: ast.stmt) -> bool:
    if not isinstance(part, ast.If):
        return False
    return any(isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(part.test))


def _given_by(part: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement gives a value to, or whose value it changes."""
    if isinstance(part, _Definition):
        yield part.name
        return
    for node in ast.walk(part):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name
            case ast.Attribute(ctx=ast.Store()) | ast.Subscript(ctx=ast.Store()):
                yield _root(node)
            case ast.Expr(value=ast.Call(func=ast.Attribute() as method)):
                yield _root(method)
            case _:
                pass


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _read_by(part: ast.stmt) -> set[str]:
    """Return the names that a statement reads, annotations left out."""
    held = (getattr(node, field, None) for node in ast.walk(part) for field in _ANNOTATIONS)
    annotating = {id(node) for one in held if isinstance(one, ast.AST) for node in ast.walk(one)}
    names = (node for node in ast.walk(part) if isinstance(node, ast.Name))
    return {name.id for name in names if id(name) not in annotating}
