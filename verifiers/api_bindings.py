"""What the statements of a program bind, and what its expressions thereby stand for."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator

from .api_scopes import CALL, Path, Place, Scope

_TYPES: dict[type[ast.expr], str] = {
    ast.List: "list",
    ast.ListComp: "list",
    ast.Tuple: "tuple",
    ast.Dict: "dict",
    ast.DictComp: "dict",
    ast.Set: "set",
    ast.SetComp: "set",
    ast.JoinedStr: "str",
}
_NAMED = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef),
    *(ast.ExceptHandler, ast.MatchAs, ast.MatchStar),
)
_CONSTANTS = (str, bytes, int, float, complex)
_MOST_NAMES = 10
_BUILTINS = frozenset(dir(builtins))


def bind(found: Iterable[Place]) -> None:
    """Note in the scopes of all places what each of them binds."""
    named: set[int] = set()
    for node, scope, guard in found:
        if isinstance(node, ast.Import | ast.ImportFrom):
            _bind_imports(node, scope, known="imports" not in guard)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            _bind_value(node, scope, named)
        elif isinstance(node, ast.Global | ast.Nonlocal):
            for name in node.names:
                scope.bind_everywhere(name)
        elif isinstance(node, ast.NamedExpr):
            scope.bind_everywhere(node.target.id)
        elif id(node) not in named:
            for name in _bound_by(node):
                scope.bind(name)


def _bind_imports(node: ast.Import | ast.ImportFrom, scope: Scope, *, known: bool) -> None:
    for alias in node.names:
        if alias.name == "*":
            scope.bind_all()
        else:
            name, path = _imported(node, alias)
            scope.bind(name, path if known else None)


def _imported(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> tuple[str, Path | None]:
    """Return the name that an import binds and what it stands for."""
    if isinstance(node, ast.ImportFrom):
        path = None if node.level or not node.module else Path(node.module, (alias.name,))
        return alias.asname or alias.name, path
    top = alias.name.partition(".")[0]
    return alias.asname or top, Path(alias.name if alias.asname else top)


def _bind_value(node: ast.Assign | ast.AnnAssign, scope: Scope, named: set[int]) -> None:
    """Bind the one name of `name = value` to the expression; other targets bind as they come."""
    target = node.target if isinstance(node, ast.AnnAssign) else node.targets[0]
    if isinstance(target, ast.Name) and node.value:
        scope.bind(target.id, node.value)
        named.add(id(target))


def _bound_by(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, _NAMED):
        yield node.name or ""
    elif isinstance(node, ast.MatchMapping):
        yield node.rest or ""
    elif type(node).__name__ in {"TypeVar", "ParamSpec", "TypeVarTuple", "TypeAlias"}:
        yield str(getattr(node, "name", ""))


def path_of(node: ast.expr, scope: Scope, names: int = 0) -> Path | None:
    """Return what an expression in a scope stands for, or None where the text does not say.

    It follows at most ten `names`, from one bound name to the next.
    """
    steps: list[str] = []
    while isinstance(node, ast.Attribute | ast.Call):
        steps.append(node.attr if isinstance(node, ast.Attribute) else CALL)
        node = node.value if isinstance(node, ast.Attribute) else node.func
    root = _root(node, scope, names)
    return Path(root.module, (*root.steps, *reversed(steps))) if root else None


def _root(node: ast.expr, scope: Scope, names: int) -> Path | None:
    if isinstance(node, ast.Name):
        return _named(node.id, scope, names)
    name = _TYPES.get(type(node), "")
    if isinstance(node, ast.Constant) and type(node.value) in _CONSTANTS:
        name = type(node.value).__name__
    return Path("builtins", (name, CALL)) if name else None


def _named(name: str, scope: Scope, names: int) -> Path | None:
    for inside in scope.enclosing():
        if name in inside.bound:
            return _bound_to(inside, name, names)
    starred = any(inside.has_star for inside in scope.enclosing())
    return Path("builtins", (name,)) if name in _BUILTINS and not starred else None


def _bound_to(scope: Scope, name: str, names: int) -> Path | None:
    first, *others = scope.bound[name]
    if isinstance(first, ast.expr):
        alone = not others and names < _MOST_NAMES
        return path_of(first, scope, names + 1) if alone else None
    return first if all(other == first for other in others) else None
