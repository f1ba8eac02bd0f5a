"""Which names of a program stand for what was imported: its scopes, without running it.

A name that is bound twice in one scope, by anything but equal imports, stands for nothing known.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple, cast

CALL = "()"
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
Guard = frozenset[str]
"""What a block is prepared to lack: `imports`, `names`, and `arguments` that a call takes; and
`annotations`, in a program that never evaluates these."""

_GUARDING = {
    "ImportError": "imports",
    "ModuleNotFoundError": "imports",
    "AttributeError": "names",
    "TypeError": "arguments",
    "Exception": "imports",
    "BaseException": "imports",
}
_ASKING = {"hasattr", "find_spec", "hexversion", "os.name", "TYPE_CHECKING", "PY2", "PY3"}
_EXPECTING = {
    *("suppress", "raises", "assertRaises", "assertRaisesRegex"),
    *("assert_raises", "assert_raises_regex"),
}
_EVERYTHING: Guard = frozenset({"imports", "names"})
_BRANCHES = (ast.If, ast.IfExp, ast.While, ast.BoolOp)


class Path(NamedTuple):
    """Where a value comes from: a module, and the steps from there: names, and "()" for a call."""

    module: str
    steps: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ".".join((self.module, *self.steps))

    def prefixes(self) -> list[str]:
        """Return the path up to each of its steps, as text."""
        return [str(Path(self.module, self.steps[:end])) for end in range(1, len(self.steps) + 1)]


Bound = Path | ast.expr | None
"""What a name is bound to: a path, the value of an expression, or nothing known."""


@dataclass(eq=False)
class Scope:
    """A scope with what it binds, as often as it does."""

    outer: Scope | None
    is_class: bool = False
    bound: dict[str, list[Bound]] = field(default_factory=dict[str, "list[Bound]"])
    has_star: bool = False
    """Whether a star import may bind whatever else."""

    def bind(self, name: str, to: Bound = None) -> None:
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
    waiting = [Place(tree, Scope(None), _guard_of(tree))]
    while waiting:
        place = waiting.pop()
        found.append(place)
        waiting.extend(reversed(list(_children(place))))
    return found


def _guard_of(tree: ast.Module) -> Guard:
    unevaluated = sys.version_info >= (3, 14) or any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body
    )
    return frozenset({"annotations"} if unevaluated else ())


def _children(place: Place) -> Iterator[Place]:
    node, scope, guard = place
    inside = _inner_scope(node, scope)
    for name, value in ast.iter_fields(node):
        within = inside if inside is not scope and _is_inside(node, name) else scope
        guarded = guard | _guards(node, name, guard)
        children = cast("list[object]", value if isinstance(value, list) else [value])
        for child in children:
            if isinstance(child, ast.comprehension) and child is children[0]:
                # The first iterable is evaluated outside; the rest of the comprehension is not.
                yield Place(child.iter, scope, guarded)
                yield from (Place(one, inside, guarded) for one in (child.target, *child.ifs))
            elif isinstance(child, ast.arguments):
                yield from _arguments(child, scope, inside, guarded)
            elif isinstance(child, ast.AST) and child._fields:
                yield Place(child, within, guarded)


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
                yield Place(
                    argument.annotation, scope, _guards(argument, "annotation", guard) | guard
                )
    for default in (*arguments.defaults, *arguments.kw_defaults):
        if default:
            yield Place(default, scope, guard)


def _guards(node: ast.AST, name: str, guard: Guard) -> Guard:
    """Return what the block `name` of a node is prepared to lack, beyond the guard around it."""
    if isinstance(node, ast.Try | ast.TryStar):
        return _caught(node) if name in {"body", "handlers", "orelse"} else guard
    if isinstance(node, ast.With | ast.AsyncWith):
        said = {word for item in node.items for word in identifiers(item.context_expr)}
        return _EVERYTHING if name == "body" and said & _EXPECTING else guard
    if isinstance(node, _BRANCHES):
        tests = node.values if isinstance(node, ast.BoolOp) else [node.test]
        return _EVERYTHING if any(map(_asks, tests)) else guard
    is_annotation = name in {"annotation", "returns"} and "annotations" in guard
    return _EVERYTHING if is_annotation else guard


def _caught(node: ast.Try | ast.TryStar) -> Guard:
    """Return what the handlers of a `try` catch; they and `else` lack the same."""
    caught: set[str] = set()
    for handler in node.handlers:
        names = identifiers(handler.type) if handler.type else ("Exception",)
        caught.update(_GUARDING[name] for name in names if name in _GUARDING)
    return frozenset(caught)


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
