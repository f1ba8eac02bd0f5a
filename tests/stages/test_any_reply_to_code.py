"""What a model may say of problems, tests and solutions, and how fast."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Origin, Prompted
from synth.record import Message, Record, whole_text
from synth.stages.oss_instruct import OssInstruct
from synth.stages.solve import Solve
from synth.stages.write_tests import WriteTests
from tests.stages.any_reply import Configured, at_three_paces, check_any_reply

CODE = "import math\n\ndef area(r):\n    return math.pi * r * r\n"
STAGES: list[Configured] = [
    (OssInstruct, {"engine": "a", "per_document": 3, "copies": "drop"}),
    (OssInstruct, {"engine": "a", "mode": "sc2", "per_document": 3}),
    (WriteTests, {"engine": "a", "suites": 3, "min_tests": 1}),
    (WriteTests, {"engine": "a", "suites": 2, "kind": "inputs_outputs", "min_tests": 1}),
    (WriteTests, {"engine": "a", "suites": 2, "kind": "programs", "show_solution": True}),
    (Solve, {"engine": "a", "n": 4}),
    (Solve, {"engine": "a", "n": 2, "language": "ruby", "conversation": "prompt"}),
]
PARTS = [
    "```python\n", "```\n", "\n```\n", "~~~ruby\n", "\n~~~\n", "<think>", "</think>", "Problem: ",
    "\nSolution: ", "1. ", "\n", "def area(r):\n    return r\n", "assert area(1) == 3\n", "assert ",
    "def test_a():\n    assert area(2)\n", "class area: pass\n", "import area\n", "@area\n", ";",
    "Function: area(r)\n", "area(", ")", "'''", "\ud800", "\x00", "\x0c", "\r", "\\", "# é\n",
    "[", "]", "{", "}", "{{ x }}", "NaN", "lambda: ", "yield", "return", "9" * 5000, "(" * 300,
    '[{"args": [1], "expected": 3}]', '[{"stdin": "1", "stdout": "3"}]', '"args": ',
    "while area:\n    assert area\n",
]  # fmt: skip
OF_A_RECORD = ("few_tests", "wrong_entry_point", "repeated_")


def problem() -> Record:
    """Return a record that holds code and asks for some."""
    asked = [Message(role="user", content="Write area(r), the area of a disc.")]
    return Record.seed({"code": CODE}, asked)


@pytest.mark.parametrize("stage", STAGES)
def test_whatever_a_model_says_is_a_record_that_keeps_it(
    tmp_path_factory: pytest.TempPathFactory, stage: Configured
):
    def check(row: Record, said: set[str]) -> None:
        reason = row.dropped.reason if row.dropped else ""
        if reason and not reason.startswith(OF_A_RECORD):
            assert row.fields["raw_reply"] in set(map(whole_text, said))

    check_any_reply(lambda: tmp_path_factory.mktemp("any"), stage, problem(), PARTS, check)


def told(_prompt: Prompted, origin: Origin) -> str:
    said: dict[str, Any] = {
        "problem": f"Problem: P{origin.sample}\nSolution: S{origin.sample}",
        "concepts": f"1. concept {origin.sample}\n",
        "instruction": f"Task {origin.sample}.",
        "tests": f"```python\nassert area({origin.sample}) == 0\n```",
        "reply": f"```python\ndef area(r):\n    return {origin.sample}\n```",
    }
    return said[origin.step]


@pytest.mark.parametrize("stage", [STAGES[0], STAGES[1], STAGES[2], STAGES[5]])
async def test_no_pace_of_replies_changes_a_record(tmp_path: Path, stage: Configured):
    rows = await at_three_paces(tmp_path, stage, problem(), told)

    assert any(row.state == "live" for row in rows)
