"""Code against its tests: what counts as a test, what the evidence tells, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from synth import Record
from synth.errors import SandboxUnavailable
from synth.testing import VerifierContract, judge, made, record

SQUARE = "def f(x):\n    return x * x"
TESTS = [{"args": [2], "expected": 4}, {"args": [3], "expected": 9}]


def solved(code: str, tests: Any = TESTS, number: int = 0, **fields: Any) -> Record:
    given = {"entry_point": "f", "tests": tests, **fields}
    return record(f"```python\n{code}\n```", fields=given, number=number)


class TestContract(VerifierContract):
    verifier = "unit_tests"
    must_pass: ClassVar = [solved(SQUARE), solved(SQUARE, "assert f(2) == 4", number=1)]
    must_fail: ClassVar = [
        solved("def f(x):\n    return 4"),
        record("Four.", fields={"entry_point": "f", "tests": TESTS}),
    ]
    must_abstain: ClassVar = ["Four.", record(None)]


class TestRunsContract(VerifierContract):
    verifier = "runs"
    must_pass: ClassVar = ["```python\nprint(1)\n```"]
    must_fail: ClassVar = ["```python\n1 / 0\n```", "No code."]
    must_abstain: ClassVar = [record(None)]


def test_the_evidence_tells_each_test_and_how_it_was_isolated():
    code = "def f(x):\n    return 1 / 0 if x == 3 else x * x"

    [verdict] = judge("unit_tests", [solved(code)])

    assert verdict.score == 0.5
    evidence = dict(verdict.evidence or {})
    assert evidence.pop("isolation") in ("ns", "container", "lsm")
    assert evidence == {
        "passed": 1,
        "total": 2,
        "tests": ["pass", "error"],
        "first_failure": "test 2: error: ZeroDivisionError: division by zero (line 2)",
        "integrity": "strong",
    }


def test_the_reason_shows_the_call_that_failed():
    [verdict] = judge("unit_tests", [solved("def f(x):\n    return x + 2")])

    assert verdict.reason == (
        "failed_tests: 1 of 2 passed; test 2: fail: called with (3): wanted 9, got 5"
    )


def test_a_test_that_ends_the_process_leaves_the_others_theirs():
    code = "import os\ndef f(x):\n    return os._exit(0) if x == 2 else x * x"

    [verdict] = judge("unit_tests", [solved(code)])

    assert verdict.evidence is not None
    assert verdict.evidence["tests"] == ["early_exit", "pass"]


def test_after_a_test_that_took_all_time_the_others_are_not_run():
    code = "def f(x):\n    while x == 2:\n        pass\n    return x * x"

    [verdict] = judge("unit_tests", [solved(code)], sandbox={"cpu_s": 1, "wall_s": 3})

    assert verdict.evidence is not None
    assert verdict.evidence["tests"] == ["timeout", "killed"]


def test_each_assert_of_a_text_is_a_test():
    tests = "def test_one():\n    assert f(1) == 1\n    assert f(2) == 5\n    assert f(3) == 9"

    [verdict] = judge("unit_tests", [solved(SQUARE, tests)])

    assert verdict.evidence is not None
    assert verdict.evidence["tests"] == ["pass", "fail", "pass"]


def test_a_name_of_the_setup_is_there_for_the_tests():
    given = solved(SQUARE, "assert f(side) == 9", test_setup="side = 3")

    [verdict] = judge("unit_tests", [given])

    assert verdict.outcome == "pass"


def test_tests_that_share_a_process_with_the_code_can_be_refused():
    tests = "def test_printed(capsys):\n    f(2)\n    assert capsys.readouterr().out == '4\\n'"
    printing = solved("def f(x):\n    print(x * x)", tests)

    [taken] = judge("unit_tests", [printing])
    [refused] = judge("unit_tests", [printing], min_integrity="strong")

    assert taken.outcome == "pass"
    assert taken.evidence is not None
    assert taken.evidence["integrity"] == "weak"
    assert refused.reason.startswith("weak_integrity")


def test_a_package_of_the_environment_can_be_imported():
    needs = solved("import pytest\ndef f(x):\n    return x * x if pytest.__version__ else 0")
    here = str(Path(pytest.__file__).parents[4])
    if not (Path(here) / "bin" / "python").is_file():
        pytest.skip("pytest is not installed in a virtual environment")

    [without] = judge("unit_tests", [needs])
    [with_it] = judge("unit_tests", [needs], sandbox={"environment": here})

    assert without.reason == (
        "missing_module: No module named 'pytest' (line 1): name a virtual environment that has it "
        "in `sandbox: {environment: …}`"
    )
    assert with_it.outcome == "pass"


def test_an_environment_that_is_none_is_refused():
    with pytest.raises(ValidationError, match="wants the folder of a virtual environment"):
        made("unit_tests", sandbox={"environment": "nowhere"})


def test_no_isolation_wants_to_be_said_twice():
    judging = made("unit_tests", sandbox={"min_isolation": "none", "language": "python"})

    assert judging.sandbox.isolation != "none"  # type: ignore[attr-defined]


def test_an_unknown_language_is_told():
    with pytest.raises(Exception, match="no language named 'cobol'") as raised:
        made("unit_tests", sandbox={"language": "cobol"}).ready()

    assert not isinstance(raised.value, SandboxUnavailable)


def test_the_reason_shows_a_test_that_fails_without_a_word():
    [verdict] = judge("unit_tests", [solved(SQUARE, [{"source": "assert f(2) == 5\n"}])])

    assert verdict.reason == "failed_tests: 0 of 1 passed; test 1: fail: assert f(2) == 5"
