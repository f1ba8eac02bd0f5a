"""The numbers we hold ourselves to, and the words we keep out. `make numbers` prints the rest.

Ruff sees to the other rules: docstrings on all public names, at most six parameters.
"""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ("synth", "verifiers", "benchmarks")
LONGEST_FILE = 300
LONGEST_TEST_FILE = 400  # a test says more than the promise that it tests
LONGEST_FUNCTION = 50
DEEPEST = 3
VAGUE = re.compile(r"(utils?|helpers?|common|misc|managers?|base_classes)\.py")
MACHINE = re.compile(
    r"(?<![\w.~-])/(?:home|root|work|Users)/\w"  # somebody's folder
    r"|\b(?:pypi|python[h]osted|npmjs|debian)\.(?:org|com)\b"  # a registry
)
Function = ast.FunctionDef | ast.AsyncFunctionDef
BLOCKS = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.With, ast.AsyncWith, ast.Try, ast.Match)
pytestmark = pytest.mark.checkout


def complaint(rule: str, found: list[str]) -> str:
    return "\n  ".join([rule + ":", *found])


def python_files(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def functions(*folders: str) -> Iterator[tuple[str, Function]]:
    """Yield every function with its place, as `file:line name`."""
    for file in python_files(*folders):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, Function):
                yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", node


def lines(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def depth(node: ast.AST) -> int:
    """Return how many blocks stand inside each other; an `elif` is no deeper than its `if`."""
    chained = node.orelse if isinstance(node, ast.If) else []
    flat = chained if len(chained) == 1 and isinstance(chained[0], ast.If) else []
    inside = [depth(child) for child in ast.iter_child_nodes(node) if child not in flat]
    deepest = max(inside, default=0) + isinstance(node, BLOCKS)
    return max([deepest, *(depth(child) for child in flat)])


def tracked_texts() -> Iterator[tuple[str, str]]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in listed.stdout.splitlines():
        file = ROOT / name
        if file.is_file() and b"\0" not in (data := file.read_bytes()):
            yield name, data.decode("utf-8", "replace")


def test_files_are_short():
    limits = dict.fromkeys(python_files(*SOURCE), LONGEST_FILE)
    limits |= dict.fromkeys(python_files("tests"), LONGEST_TEST_FILE)
    counted = {file: len(file.read_text("utf-8").splitlines()) for file in limits}

    long = [f"{file.relative_to(ROOT)}: {n}" for file, n in counted.items() if n > limits[file]]

    assert not long, complaint(f"split by noun: at most {LONGEST_FILE} lines a file", long)


def test_functions_are_short():
    long = [
        f"{place}: {lines(node)}"
        for place, node in functions(*SOURCE, "tests")
        if lines(node) > LONGEST_FUNCTION
    ]

    assert not long, complaint(f"name its parts: at most {LONGEST_FUNCTION} lines a function", long)


def test_blocks_are_not_deep():
    deep = [
        f"{place}: {depth(node)}" for place, node in functions(*SOURCE) if depth(node) > DEEPEST
    ]

    assert not deep, complaint(
        f"return early or name the inner block: at most {DEEPEST} deep", deep
    )


def test_every_file_is_named_by_a_noun_of_the_domain():
    vague = [
        str(file.relative_to(ROOT)) for file in python_files(*SOURCE) if VAGUE.fullmatch(file.name)
    ]

    assert not vague, complaint("such a name is a place to hide things", vague)


def test_no_test_replaces_our_code_by_a_mock():
    mocking = [
        str(file.relative_to(ROOT))
        for file in python_files("tests")
        if re.search(
            r"^\s*(?:from unittest import mock|(?:from|import) unittest\.mock|import mock)\b",
            file.read_text("utf-8"),
            re.MULTILINE,
        )
    ]

    assert not mocking, complaint("use ScriptedEngine, tmp_path and real objects", mocking)


def test_no_tracked_file_names_a_machine_or_a_registry():
    found = [
        f"{name}:{text.count(chr(10), 0, match.start()) + 1} {match[0]!r}"
        for name, text in tracked_texts()
        for match in MACHINE.finditer(text)
    ]

    assert not found, complaint(
        "it must work elsewhere: use a relative path, or read the setting", found
    )


def report() -> Iterator[str]:
    """Yield the numbers that we watch and do not assert."""
    sizes = sorted(lines(node) for _, node in functions("synth", "verifiers"))
    source, tests = (
        sum(len(file.read_text("utf-8").splitlines()) for file in python_files(*folders))
        for folders in (("synth", "verifiers"), ("tests",))
    )
    yield f"functions       {len(sizes)}"
    yield f"median lines    {statistics.median(sizes):.0f}   (at most 9)"
    yield f"95 % within     {sizes[len(sizes) * 95 // 100]} lines   (at most 40)"
    yield f"longest         {sizes[-1]} lines   (at most {LONGEST_FUNCTION})"
    yield f"source, tests   {source}, {tests} lines   ({tests / source:.2f}; 1 to 1.5)"


if __name__ == "__main__":
    print("\n".join(report()))  # noqa: T201 (this is `make numbers`)
