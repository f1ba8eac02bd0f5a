"""HumanEval's test source as inputs and outputs, where each assert is that simple."""

from __future__ import annotations

import ast
from typing import Any


def calls_of(test: str) -> list[tuple[list[Any], Any]]:
    """Return arguments and expected values, if each assert is `candidate(literals) == literal`."""
    [check] = [
        node
        for node in ast.parse(test).body
        if isinstance(node, ast.FunctionDef) and node.name == "check"
    ]
    asserts = [node for node in check.body if isinstance(node, ast.Assert)]
    converted = [_call_of(node.test) for node in asserts if not isinstance(node.test, ast.Constant)]
    whole = len(asserts) == len(check.body) and converted
    return [one for one in converted if one] if whole and all(converted) else []


def _call_of(test: ast.expr) -> tuple[list[Any], Any] | None:
    match test:
        case ast.Compare(ast.Call(ast.Name("candidate"), args, []), [ast.Eq()], [expected]):
            try:
                return [ast.literal_eval(arg) for arg in args], ast.literal_eval(expected)
            except ValueError:
                return None
        case _:
            return None
