"""The contract finds the verifiers that break it, and says what is wrong."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from synth import Record, Verdict, Verifier
from synth.errors import PluginError
from synth.testing import VerifierContract, hostile_texts, judge, made, record, records


class Good(Verifier):
    """Fails what says "no"."""

    reasons: ClassVar[tuple[str, ...]] = ("no",)

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        return [self.verdict(record, number) for number, record in enumerate(records)]

    def verdict(self, record: Record, number: int) -> Verdict:
        return Verdict.failed("no", "it says no") if "no" in record.reply else Verdict.passed()


class Batched(Good):
    def verdict(self, record: Record, number: int) -> Verdict:
        return Verdict.passed(score=float(number))


class Fickle(Good):
    def verdict(self, record: Record, number: int) -> Verdict:
        return Verdict.passed(score=random.random())


class Fragile(Good):
    def verdict(self, record: Record, number: int) -> Verdict:
        if "\x00" in record.reply:
            raise ValueError("cannot read this")
        return super().verdict(record, number)


class Undeclared(Good):
    def verdict(self, record: Record, number: int) -> Verdict:
        return Verdict.failed("nope")


class Odd(Good):
    def verdict(self, record: Record, number: int) -> Verdict:
        return Verdict.passed(evidence={"set": {1, 2}})


class Meddling(Good):
    def verdict(self, record: Record, number: int) -> Verdict:
        record.messages[-1]["content"] += "!"
        return Verdict.passed()


class Unpicklable(Good):
    def __getstate__(self) -> dict[Any, Any]:
        raise TypeError("cannot pickle")


class Silent(Good):
    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        return super().judge(records)[1:]


class Untyped(Good):
    def verdict(self, record: Record, number: int) -> Any:
        return True


class Blaming(Good):
    def verdict(self, record: Record, number: int) -> Verdict:
        return Verdict("error", "no: it broke")


def contract_of(verifier: type[Verifier], **examples: Sequence[str]) -> VerifierContract:
    """Return a contract with two examples, or with those given."""
    chosen = {"must_pass": ["yes", "yes, yes"], "must_fail": ["no", "no, no"], **examples}
    return type("Contract", (VerifierContract,), {"verifier": verifier, **chosen})()


def names_of_tests_in(contract: VerifierContract) -> list[str]:
    return [name for name in dir(contract) if name.startswith("test_")]


def test_a_good_verifier_passes_every_test():
    contract = contract_of(Good)

    for name in names_of_tests_in(contract):
        getattr(contract, name)()

    assert len(names_of_tests_in(contract)) == 8


@pytest.mark.parametrize(
    ("verifier", "test", "said"),
    [
        (Batched, "test_verdicts_are_the_same_at_any_batch_size", "in batches of 1"),
        (Fickle, "test_judging_again_gives_the_same_verdicts", "first"),
        (Fragile, "test_hostile_text_gets_a_verdict_and_never_an_exception", "cannot read this"),
        (Undeclared, "test_reasons_are_declared_and_evidence_is_json", "'nope' is not in"),
        (Odd, "test_reasons_are_declared_and_evidence_is_json", "not JSON serializable"),
        (Meddling, "test_records_are_left_as_they_were", "changed a record"),
        (Unpicklable, "test_it_can_be_made_again_in_another_process", "cannot pickle"),
        (Silent, "test_each_example_gets_the_outcome_it_must", "wanted 4 verdicts of 'silent'"),
        (Untyped, "test_each_example_gets_the_outcome_it_must", "got True"),
        (Blaming, "test_each_example_gets_the_outcome_it_must", "pass, fail or abstain"),
        (Undeclared, "test_each_example_gets_the_outcome_it_must", "'yes' must pass"),
    ],
)
def test_a_verifier_that_breaks_the_contract_is_found(
    verifier: type[Verifier], test: str, said: str
):
    with pytest.raises((AssertionError, PluginError, ValueError, TypeError), match=said):
        getattr(contract_of(verifier), test)()


@pytest.mark.parametrize("missing", ["must_pass", "must_fail"])
def test_a_contract_without_examples_of_both_kinds_is_refused(missing: str):
    contract = contract_of(Good, **{missing: ()})

    with pytest.raises(AssertionError, match=f"at least one example in `{missing}`"):
        contract.test_there_are_examples_that_must_pass_and_that_must_fail()


def test_an_example_that_must_fail_and_passes_is_shown():
    contract = contract_of(Good, must_fail=["yes"])

    with pytest.raises(AssertionError, match=r"'yes' must fail, got Verdict\(outcome='pass'"):
        contract.test_each_example_gets_the_outcome_it_must()


def test_the_hostile_text_that_broke_it_is_named():
    with pytest.raises(ValueError, match="cannot read this") as raised:
        contract_of(Fragile).test_hostile_text_gets_a_verdict_and_never_an_exception()

    assert raised.value.__notes__ == ["hostile text: NUL"]


def test_hostile_texts_are_what_the_inside_of_a_run_can_hold():
    for text in hostile_texts().values():
        assert text.encode("utf-8").decode("utf-8") == text


def test_examples_are_records_replies_or_conversations():
    kept = record("a reply", fields={"topic": "tea"})

    given = records([kept, "a reply", [{"role": "user", "content": "a question"}]])

    assert given[0] is kept
    assert given[1].reply == "a reply"
    assert given[2].instruction == "a question"
    assert len({each.id for each in given}) == 3


def test_a_verifier_is_given_by_name_class_or_as_it_is():
    verdicts = [
        judge("length", ["one two"], max_words=1),
        judge(made("length", max_words=1), ["one two"]),
        judge(type(made("length", max_words=1)), ["one two"], max_words=1),
    ]

    assert [verdict.outcome for [verdict] in verdicts] == ["fail", "fail", "fail"]


def test_what_is_no_verifier_is_refused():
    wrong: Any = "length".upper

    with pytest.raises(PluginError, match=r"wanted a synth\.Verifier"):
        judge(wrong, ["hello"])
