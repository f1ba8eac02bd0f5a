"""Test source taken apart: each assert and each test function, able to run without the others."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from synth.stages.parts.python_code import Definition, names_defined, names_used, parsed
from synth.stages.parts.replies import MalformedError

_TESTS = ("test", "Test")
_EXPECT = ("raises", "fail")


def single_tests(source: str, entry_point: str) -> list[str]:
    """Return the tests of a module, each as a source of its own, in order, none twice.

    A test is a top-level statement that asserts or expects an exception, a function `test…`, a
    class `Test…`, or `check(candidate)`. It keeps what it may need: a function all the statements
    of the module that are no tests, an assert those before it. Imports of `entry_point` go: nobody
    knows what module it will be in. Blocks that assert become functions, so that one that expects
    an exception counts as a test. Tests that never use `entry_point` (or `candidate`, which is the
    same) are left out, unless it is "".

    Raises MalformedError: `tests_do_not_compile`, `own_solution` (they define the entry point
    themselves), `no_assert`, `wrong_entry_point` (no test uses it).
    """
    tree = parsed(source, "tests_do_not_compile")
    called = entry_point.partition(".")[0]
    if called in names_defined(node for node in tree.body if not _imports(node)):
        raise MalformedError(f"own_solution: the tests define {called!r}, which they are to test")
    tests = [node for node in tree.body if _is_test(node)]
    if not any(_asserts(node) for node in tree.body) or not tests:
        raise MalformedError("no_assert: the block asserts nothing")
    shared = _shared(tree.body, tests, called)
    single = [[*_needed(node, shared), node] for node in tests]
    wanted = {called, "candidate"}
    using = [nodes for nodes in single if not called or names_used(nodes) & wanted]
    if not using:
        raise MalformedError(f"wrong_entry_point: no test uses {entry_point!r}")
    texts = {id(node): _segment(source, node) for node in (*shared, *tests)}
    return list(dict.fromkeys("".join(texts[id(node)] for node in nodes) for nodes in using))


def _imports(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_test(node: ast.stmt) -> bool:
    if isinstance(node, Definition):
        return node.name.startswith(_TESTS) or node.name == "check"
    return not _is_main(node) and _asserts(node)


def _asserts(node: ast.stmt) -> bool:
    """Return whether a statement can fail as a test does: it asserts, or expects an exception."""
    if any(isinstance(inner, ast.Assert) for inner in ast.walk(node)):
        return True
    return any(name in _EXPECT or name.startswith("assert") for name in names_used([node]))


def _shared(body: Iterable[ast.stmt], tests: Sequence[ast.stmt], called: str) -> list[ast.stmt]:
    """Return the statements that tests may need: not those that run tests, nor bare texts."""
    running = {test.name for test in tests if isinstance(test, Definition)} | {"main"}
    return [
        node
        for node in body
        if node not in tests
        and not _is_main(node)
        and not (isinstance(node, ast.Expr) and _idle(node, running))
        and not (isinstance(node, ast.ImportFrom) and called in names_defined([node]))
    ]


def _idle(node: ast.Expr, running: set[str]) -> bool:
    return isinstance(node.value, ast.Constant) or bool(names_used([node]) & running)


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in names_used([node.test])


def _needed(test: ast.stmt, shared: Sequence[ast.stmt]) -> Sequence[ast.stmt]:
    if isinstance(test, Definition):
        return shared
    place = (test.lineno, test.col_offset)
    return [node for node in shared if (node.lineno, node.col_offset) < place]


def _segment(source: str, node: ast.stmt) -> str:
    """Return a statement as it is written, with its decorators; a block that asserts in `test_`."""
    if _asserts(node) and not isinstance(node, Definition | ast.Assert):
        return ast.unparse(_test_of(node)) + "\n"
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    above = [f"@{ast.unparse(decorator)}\n" for decorator in decorators]
    return "".join([*above, ast.get_source_segment(source, node) or ast.unparse(node), "\n"])


def _test_of(block: ast.stmt) -> ast.stmt:
    function = ast.parse("def test_block(): ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    function.body = [block]
    return function
