"""Python as a text: whether it compiles, what it defines, and how that is called."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator

from synth.stages.parts.replies import MalformedError

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_BLOCKS = (ast.If, ast.For, ast.While, ast.With, ast.Try)


def parsed(code: str, wrong: str = "does_not_compile") -> ast.Module:
    """Return the syntax tree of a program that this Python compiles; nothing of it is run.

    Raises MalformedError, with `wrong` as the code of its reason, for whatever Python refuses: no
    program, NUL bytes, a nesting that is too deep.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code, "code.py")
            compile(tree, "code.py", "exec", dont_inherit=True)
    except SyntaxError as error:
        line = f"line {error.lineno}: " if error.lineno else ""
        raise MalformedError(f"{wrong}: {line}{error.msg}") from error
    except (RecursionError, MemoryError) as error:
        raise MalformedError(f"{wrong}: it nests too deeply for Python") from error
    except (ValueError, OverflowError) as error:
        raise MalformedError(f"{wrong}: {error}") from error
    return tree


def names_defined(body: Iterable[ast.stmt]) -> set[str]:
    """Return the names that statements bind, those in their blocks too; no methods."""
    return {name for statement in _statements(body) for name in _bound(statement)}


def defines(tree: ast.Module, entry_point: str) -> bool:
    """Return whether a module has what tests call: a name, or a dotted path that begins there."""
    return entry_point.partition(".")[0] in names_defined(tree.body)


def only_function(tree: ast.Module) -> str:
    """Return the name of a module's only public function, or "" if there are none or several."""
    found = [node.name for node in tree.body if isinstance(node, Function)]
    public = [name for name in found if not name.startswith("_")]
    return public[0] if len(public) == 1 else ""


def signature(tree: ast.Module, entry_point: str) -> str:
    """Return how a top-level function is called, as `name(first, second=1)`, or "" for others."""
    for node in tree.body:
        if isinstance(node, Function) and node.name == entry_point:
            returned = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            return f"{node.name}({ast.unparse(node.args)}){returned}"
    return ""


def names_used(nodes: Iterable[ast.AST]) -> set[str]:
    """Return the names that are read anywhere in `nodes`, those after a dot too."""
    found: set[str] = set()
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
    return found


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Yield statements and those in their blocks, which bind names of the module too."""
    for statement in body:
        yield statement
        if isinstance(statement, _BLOCKS):
            inside = [*statement.body, *getattr(statement, "orelse", [])]
            inside += getattr(statement, "finalbody", [])
            for handler in getattr(statement, "handlers", []):
                inside += handler.body
            yield from _statements(inside)


def _bound(statement: ast.stmt) -> set[str]:
    if isinstance(statement, Definition):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        inside = (node for target in targets for node in ast.walk(target))
        return {
            node.id
            for node in inside
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
        }
    return set()
