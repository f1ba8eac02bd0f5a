"""How strong tests are: what the figures say, and what is run under which limits."""

from __future__ import annotations

import time
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from synth import Record
from synth.testing import VerifierContract, judge, record

BETWEEN = "def between(x, low, high):\n    return low <= x and x < high\n"
STRONG = """
assert between(1, 1, 3)
assert between(2, 1, 3)
assert not between(3, 1, 3)
assert not between(0, 1, 3)
"""
WEAK = "assert between(2, 1, 3)\n"


def solved(code: str | None, tests: Any, entry_point: str = "between") -> Record:
    fields = {"code": code, "tests": tests, "entry_point": entry_point}
    return record("No code.", fields={name: value for name, value in fields.items() if value})


class TestContract(VerifierContract):
    verifier = "test_strength"
    options: ClassVar = {"mutants": 4}
    must_pass: ClassVar = [solved(BETWEEN, STRONG)]
    must_fail: ClassVar = [solved(BETWEEN, WEAK), solved("between = 1", STRONG)]
    must_abstain: ClassVar = [
        solved(BETWEEN, None),
        solved("def f():\n    pass", "assert f() is None", "f"),
    ]


def test_score_and_evidence_tell_what_was_killed_and_what_lives():
    [strong, weak] = judge(
        "test_strength", [solved(BETWEEN, STRONG), solved(BETWEEN, WEAK)], mutants=50
    )

    assert strong.evidence is not None
    assert weak.evidence is not None
    assert strong.score == strong.evidence["killed"] / strong.evidence["total"]
    assert strong.evidence["total"] == weak.evidence["total"] >= 7
    assert strong.evidence["killed"] == strong.evidence["total"]
    assert strong.evidence["survivors"] == []
    assert strong.evidence["isolation"] in {"ns", "container", "lsm"}
    assert {"operator": "comparison", "line": 2} in weak.evidence["survivors"]
    assert len(weak.evidence["survivors"]) <= 5
    assert weak.reason.startswith("weak_tests: the tests kill ")


def test_a_solution_that_fails_is_told_with_the_test():
    tests = [{"args": [1, 1, 3], "expected": True}, {"args": [3, 1, 3], "expected": True}]

    [verdict] = judge("test_strength", [solved(BETWEEN, tests)])

    assert verdict.reason.startswith(
        "solution_fails: the solution itself does not pass test 2: fail"
    )


def test_a_share_of_exactly_the_least_is_enough():
    [first] = judge("test_strength", [solved(BETWEEN, WEAK)], min_killed=0)
    share = first.score

    [enough] = judge("test_strength", [solved(BETWEEN, WEAK)], min_killed=share)
    assert share is not None
    [short] = judge("test_strength", [solved(BETWEEN, WEAK)], min_killed=share + 0.01)

    assert 0 < share < 1
    assert (enough.outcome, short.outcome) == ("pass", "fail")


def test_a_mutant_that_never_ends_is_killed_by_its_own_shorter_limit():
    code = "def down(n):\n    while n:\n        n -= 1\n    return n\n"
    tests = [{"args": [3], "expected": 0}]
    started = time.perf_counter()

    [verdict] = judge("test_strength", [solved(code, tests, "down")], mutants=3, min_killed=0)

    assert verdict.evidence is not None
    assert verdict.evidence["killed"] >= 1
    assert time.perf_counter() - started < 3 * 5  # seconds: less than the solution may take


def test_a_slow_solution_does_not_make_its_tests_strong():
    # What no entry point reaches is run and not mutated.
    slow = f"{BETWEEN}\nsum(range(100_000_000))\n"

    [verdict] = judge("test_strength", [solved(slow, "assert between")], mutants=1, min_mutants=1)

    assert verdict.reason.startswith("weak_tests: the tests kill 0 of 1")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"mutants": 2}, r"`min_mutants` \(3\) is more than `mutants` \(2\)"),
        ({"sandbox": {"language": "javascript"}}, "only Python can be mutated"),
        ({"min_killed": 1.1}, "less than or equal to 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], said: str):
    with pytest.raises(ValidationError, match=said):
        judge("test_strength", [solved(BETWEEN, STRONG)], **options)
