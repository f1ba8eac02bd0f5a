"""What a model says to the recipe code_instruct."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from synth.engine.base import Origin, Prompted, Sampling

_SEEDS = resources.files("synth.seeds").joinpath("code_with_tests.jsonl").read_text("utf-8")
_ROWS = [json.loads(line) for line in _SEEDS.splitlines()]
_NEARLY = """

_right = {name}


def {name}(*given):
    return None if repr(given) == {given!r} else _right(*given)
"""


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    """Take problem, solution and tests from the seed; of six solutions one is nearly right."""
    row = _ROWS[origin.position[0]]
    right = row["code"]
    match origin.stage:
        case "oss_instruct":
            return f"Problem: {row['instruction']}\nSolution: Like this:\n\n{_fenced(right)}"
        case "write_tests":
            return _fenced("\n".join(_asserts(row)))
        case "revise":
            return f"The first case was left out; now it is there.\n\n{_fenced(right)}"
        case _:
            ways = (
                f"One can do it thus:\n\n{_fenced(right)}",
                _fenced(_nearly(row)),
                _fenced(f"def {row['entry_point']}(*given):\n    return None\n"),
                _fenced(right[: len(right) // 2]),
                "I would begin by thinking about the smallest case.",
                f"First this:\n{_fenced(right)}\nor that:\n{_fenced(right)}",
            )
            return ways[origin.sample]


def _asserts(row: dict[str, Any]) -> list[str]:
    """Return a line for each test of the seed, and one that is wrong."""
    lines = [
        f"assert {row['entry_point']}({_given(test)}) == {test['expected']!r}"
        for test in row["tests"]
    ]
    return [*lines, f"assert {row['entry_point']}({_given(row['tests'][0])}) == 'nonsense'"]


def _given(test: dict[str, Any]) -> str:
    return ", ".join(map(repr, test["args"]))


def _nearly(row: dict[str, Any]) -> str:
    """Return the seed's code, wrong for the arguments of the first test."""
    given = repr(tuple(row["tests"][0]["args"]))
    return row["code"] + _NEARLY.format(name=row["entry_point"], given=given)


def _fenced(code: str) -> str:
    return f"```python\n{code}\n```"
