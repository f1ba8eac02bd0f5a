"""Which tests mean the program's own process: they change what it sees, or look at what it does."""

from __future__ import annotations

import ast

FIXTURES = ("capsys", "capfd", "monkeypatch", "tmp_path", "tmpdir", "mocker")
"""Fixtures of pytest and its plugins that act on the process."""
_MODULES = ("mock", "unittest.mock", "pytest_mock")
_CALLED = ("redirect_stdout", "redirect_stderr", "seed", "chdir", "putenv", "settrace")
_STREAMS = ("stdin", "stdout", "stderr")


def wanted_by(source: str) -> str:
    """Return what in test source acts on its own process, in words; "" for nothing.

    Mocks and patches, standard streams that are replaced or captured, a seed of random numbers, the
    environment and the working folder.
    """
    for node in ast.walk(ast.parse(source)):
        if found := _acts(node):
            return f"line {getattr(node, 'lineno', 0)}: {found}"
    return ""


def _acts(node: ast.AST) -> str:
    match node:
        case ast.Import(names) if any(one.name in _MODULES for one in names):
            return "mocks"
        case ast.ImportFrom(module, names):
            from_mock = module in _MODULES
            return "mocks" if from_mock or any(one.name == "mock" for one in names) else ""
        case ast.Call(ast.Attribute(_, name) | ast.Name(name)) if name in _CALLED:
            return name
        case ast.Assign([ast.Attribute(ast.Name("sys"), name)]) if name in _STREAMS:
            return f"sys.{name} replaced"
        case ast.Attribute(ast.Name("os"), "environ"):
            return "the environment"
        case _:
            return ""
