"""Programs with a mistake put in: each one compiles, and differs where tests can see it."""

from __future__ import annotations

import ast
import difflib
import importlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.plugins import find

# The verifiers are found by name; what they import of each other stands beside them.
package = find("verifiers", "length").cls.__module__.rpartition(".")[0]
mutants_of = importlib.import_module(f"{package}.mutants").mutants_of

MODULES = [
    *("bisect", "colorsys", "copy", "graphlib", "heapq", "quopri", "sched", "string"),
    *("textwrap", "types"),
]
EVEN = '''
import math

LIMIT = 10
UNUSED = 20
Number = "a name in annotations alone"


def unused(x):
    return x + 1


def half(x: Number = 2) -> float:
    """Return half of it."""
    assert x > 3
    return x / 2


def even(xs: list[int]) -> list[int]:
    """Return the even ones below the limit."""
    print("asked for", len(xs) + 1)
    if not xs:
        raise ValueError("nothing" + " given")
    return [half(x) for x in xs if x < LIMIT and x % 2 == 0]


if __name__ == "__main__":
    print(even([1, 2 + 3]))
'''


def source(module: str) -> str:
    return Path(importlib.import_module(module).__file__ or "").read_text("utf-8")


def changed(code: str, mutant: str) -> list[str]:
    """Return the lines that a mutant has and the original has not."""
    lines = difflib.ndiff(ast.unparse(ast.parse(code)).splitlines(), mutant.splitlines())
    return [line[2:].strip() for line in lines if line.startswith("+ ")]


def all_changes(code: str, entry_point: str = "f") -> set[str]:
    """Return what each mutant but the stub has in place of a line."""
    mutants = mutants_of(code, entry_point, most=1000)
    return {" ".join(changed(code, mutant.code)) for mutant in mutants if mutant.operator != "stub"}


@settings(deadline=None, max_examples=8)
@given(st.sampled_from(MODULES), st.integers(0, 1000))
def test_every_mutant_of_real_code_compiles_and_is_like_no_other(module: str, seed: int):
    code = source(module)

    mutants = mutants_of(code, most=12, seed=seed)

    shapes = [ast.dump(ast.parse(mutant.code)) for mutant in mutants]
    assert len(mutants) == 12
    assert len({ast.dump(ast.parse(code)), *shapes}) == 13
    assert all(compile(mutant.code, "mutant.py", "exec") for mutant in mutants)
    assert all(1 <= mutant.line <= len(code.splitlines()) for mutant in mutants)


@settings(deadline=None, max_examples=5)
@given(st.sampled_from(MODULES), st.integers(0, 1000))
def test_a_mutant_differs_in_one_place(module: str, seed: int):
    code = source(module)

    for mutant in mutants_of(code, most=5, seed=seed):
        before, after = ast.unparse(ast.parse(code)).splitlines(), mutant.code.splitlines()
        matching = difflib.SequenceMatcher(None, before, after, autojunk=False)
        spots = [spot for spot in matching.get_opcodes() if spot[0] != "equal"]
        # Renaming or negating what heads a block changes one line, never its body.
        assert len(spots) == 1, mutant


def test_the_stub_comes_first_and_keeps_the_docstring():
    first = mutants_of(EVEN, "even")[0]

    [function] = [
        node
        for node in ast.walk(ast.parse(first.code))
        if isinstance(node, ast.FunctionDef) and node.name == "even"
    ]
    assert first.operator == "stub"
    assert ast.get_docstring(function) == "Return the even ones below the limit."
    assert ast.unparse(function.body[-1]) == "return None"
    assert len(function.body) == 2


def test_a_method_and_a_class_are_stubbed_too():
    code = "class A:\n    def __init__(self):\n        pass\n    def get(self):\n        return 2"

    of_method, of_class = (mutants_of(code, entry)[0].code for entry in ("A.get", "A"))

    assert of_method == of_class
    assert changed(code, of_class) == ["return None"]


def test_what_already_does_nothing_has_no_stub():
    assert mutants_of("def f():\n    return None", "f") == []


def test_only_what_the_entry_point_reaches_is_mutated():
    found = " ".join(all_changes(EVEN, "even"))

    assert "LIMIT = 11" in found
    assert "return x * 2" in found
    for alone in (
        "UNUSED",
        "alone",
        "x + 1",
        "import",
        "assert",
        "print",
        "given",
        "Return",
        "__name__",
    ):
        assert alone not in found
    assert "x: Number=3" in found
    assert "list[int]" not in found.replace("def even(xs: list[int])", "")


def test_without_an_entry_point_the_whole_program_is_mutated_and_what_it_prints():
    found = all_changes(EVEN, "")

    assert "UNUSED = 21" in found
    assert "print('asked for', len(xs) - 1)" in found
    assert not any("even([1" in change for change in found)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("return a < b", {"return a <= b", "return a >= b"}),
        ("return a == b", {"return a != b"}),
        ("return a not in b", {"return a in b"}),
        ("return a + b", {"return a - b", "return -(a + b)"}),
        ("return a // b", {"return a * b"}),
        ("return a + 'x'", {"return a", "return 'x'", "return a + ''", "return a + 'x_'"}),
        ("return a and b", {"return a or b", "return not (a and b)"}),
        ("return not a", {"return a"}),
        ("return -a", {"return a"}),
        ("return 0", {"return 1"}),
        ("return 3", {"return 4", "return 2"}),
        ("return True", {"return False"}),
        ("return ''", {"return '_'"}),
        ("return [a]", {"return []"}),
        ("return {a: b}", {"return {}"}),
        ("return len(a)", {"return -len(a)"}),
        ("return a[:b]", {"return a[:b + 1]", "return a[:b - 1]"}),
        ("return min(a)", {"return max(a)", "return -min(a)"}),
        ("return sorted(a)", {"return sorted(a, reverse=True)", "return list(a)"}),
        ("return divmod(a, b)", {"return divmod(b, a)"}),
        ("return a if b else 1", {"return a if not b else 1"}),
        ("return {x for x in a if b}", {"return {x for x in a if not b}", "return {x for x in a}"}),
    ],
)
def test_an_operator_makes_its_changes(line: str, wanted: set[str]):
    found = all_changes(f"def f(a, b):\n    {line}")

    assert wanted <= found


def test_statements_are_deleted_and_jumps_exchanged():
    loop = "    for x in range(a):\n        if x:\n            break\n        a += x\n"
    code = f"def f(a):\n{loop}    return a"

    found = all_changes(code)

    assert {"continue", "pass", "a -= x", "a = x", "if not x:"} <= found
    assert {"for x in range(a + 1):", "for x in range(a - 1):"} <= found


def test_the_same_arguments_give_the_same_mutants_in_another_process():
    asked = (
        f"from {package}.mutants import mutants_of; import textwrap, pathlib;"
        "code = pathlib.Path(textwrap.__file__).read_text();"
        "print([(m.operator, m.line) for m in mutants_of(code, 'TextWrapper.fill', 12, seed=3)])"
    )

    told = [
        subprocess.run(
            [sys.executable, "-c", asked],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]

    assert told[0] == told[1]
    assert told[0].count("(") == 12


def test_another_seed_chooses_others():
    code = source("textwrap")

    one, other = ({mutant.code for mutant in mutants_of(code, most=12, seed=n)} for n in (0, 1))

    assert one != other


def test_the_choice_is_spread_over_lines_and_operators():
    mutants = mutants_of(source("textwrap"), most=24)

    assert max(Counter(mutant.line for mutant in mutants).values()) <= 2
    assert len({mutant.operator for mutant in mutants}) >= 8


def test_all_possible_mutants_are_fewer_than_asked_for():
    assert len(mutants_of("def f(a):\n    return a", "f")) == 1


def test_what_is_no_program_is_refused():
    with pytest.raises(ValueError, match=r"does_not_compile: line 1"):
        mutants_of("def f(:")


def test_code_that_nests_too_deeply_to_be_written_has_none():
    assert mutants_of(f"x = {'+'.join(['1'] * 700)}") == []
