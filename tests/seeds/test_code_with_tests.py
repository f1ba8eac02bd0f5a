"""The solutions of `code_with_tests` are run against the tests beside them."""

from __future__ import annotations

import ast
import json
from copy import deepcopy
from importlib import resources
from typing import Any

import pytest

from synth.record import canonical

_TEXT = resources.files("synth.seeds").joinpath("code_with_tests.jsonl").read_text("utf-8")
ROWS = [json.loads(line) for line in _TEXT.splitlines()]


def solution(row: dict[str, Any]) -> Any:
    names: dict[str, Any] = {}
    exec(compile(row["code"], row["id"], "exec"), names)  # noqa: S102 (written by ourselves)
    return names[row["entry_point"]]


@pytest.mark.parametrize("row", ROWS, ids=[row["entry_point"] for row in ROWS])
def test_a_solution_returns_what_each_of_its_tests_expects(row: dict[str, Any]):
    solve = solution(row)

    for test in row["tests"]:
        returned = solve(*deepcopy(test["args"]))

        assert returned == test["expected"], test
        assert canonical(returned) == canonical(test["expected"]), test  # 1 is not True


@pytest.mark.parametrize("row", ROWS, ids=[row["entry_point"] for row in ROWS])
def test_a_solution_leaves_its_arguments_as_they_were(row: dict[str, Any]):
    solve = solution(row)

    for test in row["tests"]:
        given = deepcopy(test["args"])
        solve(*given)

        assert given == test["args"]


@pytest.mark.parametrize("row", ROWS, ids=[row["entry_point"] for row in ROWS])
def test_no_constant_answer_passes_the_tests_of_a_solution(row: dict[str, Any]):
    asked = {canonical(test["args"]) for test in row["tests"]}
    answers = {canonical(test["expected"]) for test in row["tests"]}

    assert len(asked) == len(row["tests"]) >= 4
    assert len(answers) > 1


@pytest.mark.parametrize("row", ROWS, ids=[row["entry_point"] for row in ROWS])
def test_the_instruction_names_the_function_to_write(row: dict[str, Any]):
    defined = [node.name for node in ast.parse(row["code"]).body if hasattr(node, "name")]

    assert defined == [row["entry_point"]]
    assert row["entry_point"] in row["instruction"]


@pytest.mark.parametrize("bad", [0, -4, 4000])
def test_the_solution_for_roman_numerals_refuses_numbers_out_of_range(bad: int):
    to_roman = solution(next(row for row in ROWS if row["entry_point"] == "to_roman"))

    with pytest.raises(ValueError, match="3999"):
        to_roman(bad)


def test_the_solution_for_the_robot_refuses_unknown_commands():
    final_position = solution(next(row for row in ROWS if row["entry_point"] == "final_position"))

    with pytest.raises(ValueError, match="'X'"):
        final_position("FX")
