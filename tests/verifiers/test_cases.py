"""Every verifier against its table: what it must accept, what it must reject, and why."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from synth import Record
from synth.errors import PluginError
from synth.testing import judge, made, record, records

TABLES = sorted((Path(__file__).parent / "cases").glob("*.jsonl"))
CASES = [
    pytest.param(table.stem, json.loads(line), id=f"{table.stem}-{number}")
    for table in TABLES
    for number, line in enumerate(table.read_text("utf-8").splitlines(), 1)
]


def shown(case: dict[str, Any]) -> list[Record]:
    """Return the records of a case: the earlier ones, if any, and the one that is judged.

    A case gives a `text`, which then is both instruction and reply, or `messages`; and perhaps
    `fields`.
    """
    fields = case.get("fields", {})
    texts = [record(text, instruction=text) for text in case.get("earlier", ())]
    conversations = records(case.get("earlier_messages", ()))
    if "text" in case:
        judged = record(case["text"], instruction=case["text"], fields=fields, number=1000)
    else:
        judged = Record.seed(fields, case["messages"], number=1000)
    return [*texts, *conversations, judged]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_a_case_gets_its_outcome(name: str, case: dict[str, Any]):
    judged_by = made(name, **case.get("options", {}))
    try:
        judged_by.ready()
    except PluginError as missing:
        pytest.skip(str(missing))

    verdict = judge(judged_by, shown(case))[-1]

    assert verdict.outcome == case["outcome"], (case["why"], verdict)
    assert verdict.reason.partition(":")[0] == case.get("reason", ""), case["why"]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.stem)
def test_a_table_has_ten_accepts_and_ten_rejects(table: Path):
    cases = [json.loads(line) for line in table.read_text("utf-8").splitlines()]

    counted = Counter(case["outcome"] for case in cases)

    assert counted["pass"] >= 10
    assert counted["fail"] >= 10
    assert all(case["why"] for case in cases)


def test_each_verifier_of_ours_has_a_table():
    folder = Path(__file__).parents[2] / "verifiers"
    if not folder.is_dir():
        pytest.skip("not a checkout")

    pattern = re.compile(r'\((?:Verifier|Measured)\):.*?name: ClassVar\[str\] = "(\w+)"', re.DOTALL)
    texts = [file.read_text("utf-8") for file in folder.glob("*.py")]
    defined = {name for text in texts for name in pattern.findall(text)}

    assert defined == {table.stem for table in TABLES}
