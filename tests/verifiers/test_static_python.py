"""Code read without running it: what compiles, what ruff says, and what must not be imported."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from synth.testing import VerifierContract, judge, record


def fenced(code: str) -> str:
    return f"Here it is:\n\n```python\n{code}\n```\n"


class TestContract(VerifierContract):
    verifier = "static_python"
    must_pass: ClassVar = [fenced("one = 1"), fenced("import math\n\nroot = math.sqrt(2)")]
    must_fail: ClassVar = [
        "",
        "No code.",
        fenced("one ="),
        fenced("import os"),
        fenced("one = two"),
        fenced("def f():\n    import socket"),
    ]
    must_abstain: ClassVar = [record(None), []]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ruff": ["Q9999"]}, "Q9999"),
        ({"block": "first"}, "only"),
        ({"ruff": ["F821", "--fix"]}, "--fix"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        judge("static_python", [fenced("one = 1")], **options)


def test_a_missing_ruff_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ruff", None)

    with pytest.raises(ValidationError, match=r"pip install 'expertsynth\[code\]'"):
        judge("static_python", [fenced("one = 1")])


def test_without_rules_ruff_need_not_be_installed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "ruff", None)

    [verdict] = judge("static_python", [fenced("one = two")], ruff=[])

    assert verdict.outcome == "pass"


def test_the_reason_says_the_line_and_the_evidence_every_finding():
    [verdict] = judge("static_python", [fenced("def f(x):\n    return x + y + z")])

    assert verdict.reason == "lint: line 2: Undefined name `y` (F821)"
    assert verdict.evidence == {
        "found": [
            {"rule": "F821", "line": 2, "message": "Undefined name `y`"},
            {"rule": "F821", "line": 2, "message": "Undefined name `z`"},
        ]
    }


def test_forbidden_imports_stand_in_the_order_of_lines():
    [verdict] = judge("static_python", [fenced("def f():\n    import os\n\nimport json, socket")])

    assert verdict.reason == "forbidden_import: line 2: the code imports 'os'"
    assert verdict.evidence == {"found": [{"name": "os", "line": 2}, {"name": "socket", "line": 4}]}


def test_at_most_twenty_findings_are_kept():
    [verdict] = judge("static_python", [fenced("\n".join(f"print(x{n})" for n in range(50)))])

    assert verdict.evidence
    assert len(verdict.evidence["found"]) == 20


def test_each_record_gets_the_complaints_about_its_own_code():
    codes = [fenced("one = 1" if number % 3 else f"one = x{number}") for number in range(250)]

    verdicts = judge("static_python", codes)

    assert [verdict.outcome for verdict in verdicts] == [
        "pass" if number % 3 else "fail" for number in range(250)
    ]
    assert all(f"`x{number}`" in verdicts[number].reason for number in range(0, 250, 3))


def test_no_path_of_the_machine_reaches_the_evidence(tmp_path: Path):
    [verdict] = judge("static_python", [fenced("one = two")])

    said = json.dumps(verdict.as_json())
    assert os.sep + "tmp" not in said
    assert str(tmp_path.parent) not in said


def test_a_configuration_of_the_machine_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "ruff.toml").write_text("[lint]\nextend-per-file-ignores = {'*' = ['F821']}\n")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    [verdict] = judge("static_python", [fenced("one = two")])

    assert verdict.reason.startswith("lint")


def test_a_warning_of_the_compiler_is_no_failure():
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        [verdict] = judge("static_python", [fenced("text = '\\d'")])

    assert verdict.outcome == "pass"
