"""Which names of a program stand for what was imported: its scopes, without running it.

A name that is bound twice in one scope, by anything but equal imports, stands for nothing known.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

CALL = "()"
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Guard = frozenset[str]
"""What a block is prepared to lack: `imports`, `names`, or both."""

_GUARDING = {
    "ImportError": "imports",
    "ModuleNotFoundError": "imports",
    "AttributeError": "names",
    "TypeError": "names",
    "NameError": "names",
    "Exception": "imports",
    "BaseException": "imports",
}
_ASKING = {"hasattr", "find_spec", "hexversion", "os.name", "TYPE_CHECKING", "PY2", "PY3"}
_EXPECTING = {"suppress", "raises", "assertRaises", "assertRaisesRegex", "warns"}


class Path(NamedTuple):
    """Where a value comes from: a module, and the steps from there: names, and "()" for a call."""

    module: str
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join((self.module, *self.steps))

    def prefixes(self) -> list[str]:
        """Return the path up to each of its steps, as text."""
        return [str(Path(self.module, self.steps[:end])) for end in range(1, len(self.steps) + 1)]


@dataclass(eq=False)
class Scope:
    """A scope with what it binds: to a path, to the value of an expression, or to nothing known."""

    outer: Scope | None
    is_class: bool = False
    bound: dict[str, list[Path | ast.expr | None]] = field(default_factory=dict)
    has_star: bool = False
    """Whether a star import may bind whatever else."""

    def bind(self, name: str, to: Path | ast.expr | None = None) -> None:
        """Bind a name once more."""
        self.bound.setdefault(name, []).append(to)

    def bind_everywhere(self, name: str) -> None:
        """Bind a name in this scope and in all around it."""
        for scope in (self, *self._outer_ones()):
            scope.bind(name)

    def bind_all(self) -> None:
        """Bind once more whatever is bound so far, as a star import may do."""
        self.has_star = True
        for name in self.bound:
            self.bind(name)

    def enclosing(self) -> Iterator[Scope]:
        """Yield the scopes in which a name of this one is looked up, from inside out."""
        yield self
        yield from (scope for scope in self._outer_ones() if not scope.is_class)

    def _outer_ones(self) -> Iterator[Scope]:
        scope = self.outer
        while scope:
            yield scope
            scope = scope.outer


class Place(NamedTuple):
    """A node, the scope in which it is evaluated, and what it is prepared to lack."""

    node: ast.AST
    scope: Scope
    guard: Guard


def places(tree: ast.Module) -> list[Place]:
    """Return every node with its place, parents before children."""
    found: list[Place] = []
    waiting = [Place(tree, Scope(None), frozenset())]
    while waiting:
        place = waiting.pop()
        found.append(place)
        waiting.extend(reversed(list(_children(place))))
    return found


def _children(place: Place) -> Iterator[Place]:
    node, scope, guard = place
    inside = _inner_scope(node, scope)
    for name, value in ast.iter_fields(node):
        within = inside if _is_inside(node, name) else scope
        guards = guard | _guards(node, name)
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.comprehension) and child is value[0]:
                # The first iterable is evaluated outside; the rest of the comprehension is not.
                yield Place(child.iter, scope, guards)
                yield from (Place(one, inside, guards) for one in (child.target, *child.ifs))
            elif isinstance(child, ast.arguments):
                yield from _arguments(child, scope, inside, guards)
            elif isinstance(child, ast.AST):
                yield Place(child, within, guards)


def _inner_scope(node: ast.AST, scope: Scope) -> Scope:
    if isinstance(node, Function | Comprehension):
        return Scope(scope)
    return Scope(scope, is_class=True) if isinstance(node, ast.ClassDef) else scope


def _is_inside(node: ast.AST, name: str) -> bool:
    if isinstance(node, Comprehension):
        return True
    return isinstance(node, Function | ast.ClassDef) and name in {"body", "type_params"}


def _arguments(
    arguments: ast.arguments, scope: Scope, inside: Scope, guard: Guard
) -> Iterator[Place]:
    """Yield defaults and annotations, which are evaluated outside, and bind the names inside."""
    for argument in ast.walk(arguments):
        if isinstance(argument, ast.arg):
            inside.bind(argument.arg)
            if argument.annotation:
                yield Place(argument.annotation, scope, guard)
    for default in (*arguments.defaults, *arguments.kw_defaults):
        if default:
            yield Place(default, scope, guard)


def _guards(node: ast.AST, name: str) -> Guard:
    """Return what a block of a node is prepared to lack."""
    if isinstance(node, ast.Try | ast.TryStar) and name in {"body", "handlers", "orelse"}:
        caught = (_caught(handler) for handler in node.handlers)
        return frozenset(kind for kinds in caught for kind in kinds)
    if isinstance(node, ast.With | ast.AsyncWith) and name == "body":
        said = {word for item in node.items for word in identifiers(item.context_expr)}
        return frozenset({"imports", "names"} if said & _EXPECTING else ())
    tests = node.values if isinstance(node, ast.BoolOp) else [getattr(node, "test", None)]
    return frozenset({"imports", "names"} if any(_asks(test) for test in tests if test) else ())


def _caught(handler: ast.ExceptHandler) -> Iterable[str]:
    if handler.type is None:
        return {"imports"}
    return {_GUARDING[name] for name in identifiers(handler.type) if name in _GUARDING}


def _asks(test: ast.expr) -> bool:
    """Return whether a condition asks for a version, a platform, or whether something is there."""
    said = set(identifiers(test))
    return bool(said & _ASKING) or any("version" in word or "platform" in word for word in said)


def identifiers(node: ast.AST) -> Iterator[str]:
    """Yield the names and attributes in an expression, and `a.b` where it is that."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr
            if isinstance(part.value, ast.Name):
                yield f"{part.value.id}.{part.attr}"
