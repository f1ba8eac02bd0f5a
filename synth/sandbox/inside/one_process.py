"""Which tests mean the program's own process: they change what it sees, or look at what it does."""

from __future__ import annotations

import ast
from collections.abc import Iterable

FIXTURES = ("capsys", "capfd", "monkeypatch", "tmp_path", "tmpdir", "mocker")
"""Fixtures of pytest and its plugins that act on the process."""
_MODULES = ("mock", "unittest.mock", "pytest_mock")
_CALLED = ("redirect_stdout", "redirect_stderr", "seed", "chdir", "putenv", "settrace")
_STREAMS = ("stdin", "stdout", "stderr")


def wanted_by(nodes: Iterable[ast.AST]) -> str:
    """Return what in the nodes of tests acts on its own process, in words; "" for nothing.

    Mocks and patches, standard streams that are replaced or captured, a seed of random numbers, the
    environment and the working folder.
    """
    for node in nodes:
        if found := _acts(node):
            return f"line {getattr(node, 'lineno', 0)}: {found}"
    return ""


def _acts(node: ast.AST) -> str:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        module = getattr(node, "module", None)
        return "mocks" if any(_mocks(module, one.name) for one in node.names) else ""
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return name if name in _CALLED else ""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        replaced = isinstance(node.ctx, ast.Store) and node.attr in _STREAMS
        if replaced or (node.value.id, node.attr) == ("os", "environ"):
            return f"{node.value.id}.{node.attr}"
    return ""


def _mocks(module: str | None, name: str) -> bool:
    return module in _MODULES or name in _MODULES
