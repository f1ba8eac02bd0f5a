"""Tests rewritten so that each assert is counted, and one that fails does not end its test.

A site is one assert statement in the source, however often it runs: it passes when it ran and held
every time. Where an assert stands inside `try` or `with`, what it raises is somebody's business:
there it is counted and then raises as ever.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from synth.sandbox.inside import one_process

FILE = "<tests>"
_SITES = "__synth_sites__"
Report = Callable[[int, str, str], None]


class Sites:
    """What became of each assert; told to `report` when it changes."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self.outcomes: dict[int, str] = {}
        self.owners: dict[int, str] = {}
        """Site to the name of the top-level test that holds it; "" for the module."""

    def settle(self, site: int, outcome: str, message: str = "") -> None:
        """Note what a run of a site came to; a pass never replaces another outcome."""
        before = self.outcomes.get(site)
        if before == outcome or (before is not None and outcome == "pass"):
            return
        self.outcomes[site] = outcome
        self._report(site, outcome, message)

    def held(self, site: int, truth: Any) -> None:
        """Count an assert whose expression is true or not."""
        self.settle(site, "pass" if truth else "fail")

    def demanded(self, site: int, truth: Any, message: Any = None) -> None:
        """Count an assert and raise as it would."""
        held = bool(truth)
        self.held(site, held)
        if not held:
            raise AssertionError(message)

    def broke(self, site: int, error: BaseException) -> None:
        """Count an assert whose expression raised."""
        outcome = "memory" if isinstance(error, MemoryError) else "error"
        self.settle(site, outcome, f"{type(error).__name__}: {error}"[:300])


class _Rewriting(ast.NodeTransformer):
    def __init__(self) -> None:
        self.lines: list[int] = []
        self.owners: list[str] = []
        self._guarded = 0
        self._owner = ""

    def _visit_guard(self, node: ast.AST) -> ast.AST:
        self._guarded += 1
        self.generic_visit(node)
        self._guarded -= 1
        return node

    visit_Try = visit_With = visit_AsyncWith = visit_TryStar = _visit_guard  # noqa: N815 (ast's names)

    def _visit_scope(self, node: Any) -> ast.AST:
        owner, guarded = self._owner, self._guarded
        self._owner, self._guarded = owner or node.name, 0
        self.generic_visit(node)
        self._owner, self._guarded = owner, guarded
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _visit_scope  # noqa: N815

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        if isinstance(node.test, ast.Constant) and not node.test.value:
            return node  # it says where a right program never comes
        site = ast.Constant(len(self.lines))
        self.lines.append(node.lineno)
        self.owners.append(self._owner)
        if self._guarded:
            message = [node.msg] if node.msg is not None else []
            return _placed(ast.Expr(_told("demanded", site, node.test, *message)), node)
        broke = ast.ExceptHandler(
            ast.Name("Exception", ast.Load()),
            "__synth_error__",
            [ast.Expr(_told("broke", site, ast.Name("__synth_error__", ast.Load())))],
        )
        held = ast.Expr(_told("held", site, node.test))
        return _placed(ast.Try([held], [broke], [], []), node)


def _told(what: str, *args: ast.expr) -> ast.Call:
    sites = ast.Name(_SITES, ast.Load())
    return ast.Call(ast.Attribute(sites, what, ast.Load()), list(args), [])


def _placed(made: ast.stmt, at: ast.AST) -> ast.stmt:
    return ast.fix_missing_locations(ast.copy_location(made, at))


class Compiled:
    """Rewritten tests. Raises SyntaxError, or ValueError for a NUL byte, where source is none."""

    def __init__(self, source: str, sites: Sites) -> None:
        tree = ast.parse(source, FILE)
        nodes = list(ast.walk(tree))
        self.shared = one_process.wanted_by(nodes)
        """What in them wants the program's own process; "" for nothing."""
        self.used = frozenset(name for node in nodes for name in _identifiers(node))
        """Each name and attribute in them, also as a text; "*" for an import of all."""
        rewriting = _Rewriting()
        rewritten = rewriting.visit(tree)
        sites.owners = dict(enumerate(rewriting.owners))
        self.lines = rewriting.lines
        """The line of each site."""
        self.names: dict[str, Any] = {_SITES: sites}
        """What they need beside the names of the program."""
        self.code = compile(rewritten, FILE, "exec", dont_inherit=True)


def _identifiers(node: ast.AST) -> tuple[str, ...]:
    match node:
        case ast.Name(name) | ast.Attribute(_, name):
            return (name,)
        case ast.Import(names) | ast.ImportFrom(_, names):
            return tuple(one.name for one in names)
        case ast.Constant(str(text)) if text.isidentifier():
            return (text,)  # perhaps asked for by getattr
        case _:
            return ()
