"""A program with one small mistake put in: what a test suite that is worth its name finds.

A stub first, then programs that differ from the original in one place. Method: DeMillo, Lipton and
Sayward, "Hints on Test Data Selection: Help for the Practicing Programmer" (1978); a survey of the
operators: Jia and Harman, "An Analysis and Survey of the Development of Mutation Testing" (2011).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast

from .mutations import changes_of
from .python_source import parsed
from .reachable import Function, functions_at, parts_reached

_NEVER = {"annotation", "returns", "decorator_list", "type_params", "format_spec", "type_comment"}
_LEFT_ALONE = (ast.Import, ast.ImportFrom, ast.Assert, ast.Global, ast.Nonlocal)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A program that differs from the original in one place."""

    operator: str
    """`stub`, or what was changed: `comparison`, `constant`, `returned` …"""
    line: int
    """The line of the original, from 1."""
    code: str
    """The whole program, written anew: without comments, in the layout of `ast.unparse`."""


@dataclass(frozen=True, slots=True)
class _Site:
    """One change: what is put where."""

    operator: str
    line: int
    holder: ast.AST
    field: str
    place: int | None
    """The index within the field, where it is a list."""
    new: ast.AST

    def code(self, tree: ast.Module) -> str:
        """Return the program with the change; `tree` is as before when this returns."""
        old = self._swap(self.new)
        try:
            return ast.unparse(ast.fix_missing_locations(tree))
        finally:
            self._swap(old)

    def _swap(self, new: ast.AST) -> ast.AST:
        held = getattr(self.holder, self.field)
        if self.place is None:
            setattr(self.holder, self.field, new)
            return held
        held[self.place], old = new, held[self.place]
        return old


def mutants_of(code: str, entry_point: str = "", most: int = 10, seed: int = 0) -> list[Mutant]:
    """Return at most `most` mutants of a program: the stub, then single changes, spread evenly.

    The stub returns None from the function (or from all methods of the class) that `entry_point`
    names, a dotted path. What that cannot reach is not mutated, nor what it prints; without an
    entry point the whole program is, and there is no stub. Docstrings, annotations, decorators,
    imports, asserts, messages of exceptions and `if __name__ == …` stay. Every mutant compiles;
    none has the syntax tree of the original or of another one. The choice depends on the arguments
    alone.

    Some mutants may do the same as the original for every input: nobody can tell in general which,
    so not even perfect tests kill all. Code that nests too deeply to be written anew has none.
    Raises ValueError (`does_not_compile: …`) for what is no program.
    """
    tree = parsed(code)
    try:
        return list(_mutants(tree, code, entry_point, most, seed))
    except RecursionError:
        return []


def _mutants(
    tree: ast.Module, code: str, entry_point: str, most: int, seed: int
) -> Iterator[Mutant]:
    seen = {_shape(ast.unparse(tree))}
    left = most
    for operator, line, text in _texts(tree, _digest(f"{seed}\0{code}"), entry_point):
        if left == 0:
            return
        shape = _shape(text)
        if shape and shape not in seen:
            seen.add(shape)
            left -= 1
            yield Mutant(operator, line, text)


def _texts(tree: ast.Module, key: bytes, entry_point: str) -> Iterator[tuple[str, int, str]]:
    """Yield operator, line and text of all mutants, the best choice first."""
    stubbed = functions_at(tree, entry_point)
    if stubbed:
        yield "stub", stubbed[0].lineno, _stub(tree, stubbed)
    sites = [
        site
        for place in parts_reached(tree, entry_point)
        for site in _sites(tree, "body", place, line=1, prints=not entry_point)
    ]
    for site in _spread(sites, key):
        try:
            yield site.operator, site.line, site.code(tree)
        except ValueError:  # `ast.unparse` cannot write some f-strings, nor endless numbers
            continue


def _stub(tree: ast.Module, functions: Sequence[Function]) -> str:
    bodies = [function.body for function in functions]
    try:
        for function in functions:
            docstring = [one for one in function.body[:1] if _is_text(one)]
            function.body = [*docstring, ast.Return(ast.Constant(None))]
        return ast.unparse(ast.fix_missing_locations(tree))
    finally:
        for function, body in zip(functions, bodies, strict=True):
            function.body = body


def _sites(
    holder: ast.AST, field: str, place: int | None, *, line: int, prints: bool
) -> Iterator[_Site]:
    """Yield all changes of one node and below, in the order of the source."""
    held = getattr(holder, field)
    node: Any = held if place is None else held[place]
    if not isinstance(node, ast.AST) or _is_left_alone(node, prints=prints):
        return
    line = getattr(node, "lineno", line)
    for operator, new in changes_of(node):
        yield _Site(operator, line, holder, field, place, new)
    # What an exception says is no behaviour that tests should hold fast.
    if not isinstance(node, ast.Raise):
        for name, at in _places(node):
            yield from _sites(node, name, at, line=line, prints=prints)


def _places(node: ast.AST) -> Iterator[tuple[str, int | None]]:
    """Yield where a node holds others: the field, and the index where that is a list."""
    for name, held in ast.iter_fields(node):
        if name not in _NEVER:
            size = len(cast("list[Any]", held)) if isinstance(held, list) else None
            yield from ((name, at) for at in ([None] if size is None else range(size)))


def _is_left_alone(node: ast.AST, *, prints: bool) -> bool:
    never = isinstance(node, _LEFT_ALONE) or _is_text(node) or _is_dunder(node)
    return never or (_is_print(node) and not prints)


def _is_print(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"))):
            return True
        case _:
            return False


def _is_text(node: ast.AST) -> bool:
    """Return whether a statement is a bare constant: a docstring, or `...`."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_dunder(node: ast.AST) -> bool:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name.startswith("__") and name.endswith("__")
        case _:
            return False


def _spread(sites: Sequence[_Site], key: bytes) -> Iterator[_Site]:
    """Yield all sites, those first whose line and operator were yielded least often."""
    drawn = [_digest(f"{place} {key.hex()}") for place in range(len(sites))]
    lines, operators = Counter[int](), Counter[str]()
    waiting = set(range(len(sites)))
    while waiting:
        place = min(
            waiting,
            key=lambda one: (lines[sites[one].line] + operators[sites[one].operator], drawn[one]),
        )
        waiting.remove(place)
        lines[sites[place].line] += 1
        operators[sites[place].operator] += 1
        yield sites[place]


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()


def _shape(code: str) -> str:
    """Return the syntax tree in words; empty for what does not compile."""
    try:
        return ast.dump(parsed(code))
    except ValueError:
        return ""
