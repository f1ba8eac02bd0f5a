"""Final answers: numbers as people write them, formulas, and what is missing to compare them."""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from synth.testing import VerifierContract, judge, record


class TestContract(VerifierContract):
    verifier = "final_answer"
    must_pass: ClassVar = [record("Answer: 18", fields={"answer": "18"})]
    must_fail: ClassVar = [record("Answer: 17", fields={"answer": "18"})]
    must_abstain: ClassVar = [record("Answer: 18"), record(None, fields={"answer": "18"})]


class TestContractOfFormulas(VerifierContract):
    verifier = "final_answer"
    options: ClassVar = {"kind": "math"}
    must_pass: ClassVar = [record(r"\boxed{\frac12}", fields={"answer": "0.5"})]
    must_fail: ClassVar = [record(r"\boxed{x}", fields={"answer": "0.5"})]
    must_abstain: ClassVar = [record("Answer: 18")]


def test_the_evidence_is_what_was_expected_and_what_was_found():
    [verdict] = judge("final_answer", [record("Answer: 17 km", fields={"answer": 18})])

    assert verdict.evidence == {"expected": "18", "found": "17 km"}
    assert verdict.reason == "wrong_answer: found '17 km', wants '18'"


def test_an_interval_may_answer_an_inequality_but_not_the_other_way_round():
    inequality, interval = "1<x<2", "(1,2)"
    asked = [
        record(rf"\boxed{{{interval}}}", fields={"answer": inequality}),
        record(rf"\boxed{{{inequality}}}", fields={"answer": interval}, number=1),
    ]

    outcomes = [verdict.outcome for verdict in judge("final_answer", asked, kind="math")]

    assert outcomes == ["pass", "fail"]


def test_without_math_verify_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name: None if name == "math_verify" else found(name),  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    )

    with pytest.raises(ValidationError, match=r"pip install 'expertsynth\[math\]'"):
        judge("final_answer", ["Answer: 18"], kind="math")


@given(st.integers(-(10**15), 10**15), st.sampled_from(["{}", "{:,}", "${:,}", "{} apples", "{}."]))
def test_a_whole_number_is_found_however_it_is_written(number: int, written: str):
    said = record(f"Answer: {written.format(number)}", fields={"answer": number})

    [verdict] = judge("final_answer", [said])

    assert verdict.outcome == "pass"


@given(st.fractions(max_denominator=10**6), st.fractions(max_denominator=10**6))
def test_fractions_are_equal_only_if_they_are(one: Fraction, other: Fraction):
    said = record(f"Answer: {one}", fields={"answer": str(other)})

    [verdict] = judge("final_answer", [said])

    assert verdict.outcome == ("pass" if one == other else "fail")


@given(st.text(), st.sampled_from(["number", "choice", "text"]))
def test_no_reply_breaks_it(reply: str, kind: str):
    said = record(f"Answer: {reply}", fields={"answer": "B" if kind == "choice" else "1"})

    [verdict] = judge("final_answer", [said], kind=kind)

    assert verdict.outcome in {"pass", "fail"}


def test_program_text_in_an_answer_is_never_run(tmp_path: Path):
    ran = tmp_path / "ran"
    attack = f"__import__('pathlib').Path({str(ran)!r}).touch()"
    replies = [f"\\boxed{{{attack}}}", f"Answer: ${attack}$", f"\\boxed{{\\text{{{attack}}}}}"]

    verdicts = judge(
        "final_answer",
        [record(said, fields={"answer": "x+1"}, number=n) for n, said in enumerate(replies)],
        kind="math",
    )

    assert not ran.exists()
    assert not any(verdict.outcome == "pass" for verdict in verdicts)
