"""Solutions and tests that are held against each other, by what each test came to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.frozen import validated
from synth.record import Message, Record
from synth.run.boundary import leaving
from synth.stages.parts.cross_check import difficulty
from synth.stages.solve import Solve
from tests.running import services

TOLD = """
import synth

@synth.verifier
def told(record):
    '''Tells what the first line of the code says of each test, as in `# pass fail`.'''
    words = record.fields["code"].splitlines()[0].strip("# ").split()
    if "broken" in words:
        raise RuntimeError("out of order")
    if "unsure" in words:
        return synth.Verdict.abstained("unreadable_tests", "nobody can read them")
    evidence = {"passed": words.count("pass"), "total": len(words), "tests": words,
                "first_failure": "test 1", "isolation": "ns"}
    score = words.count("pass") / max(1, len(words))
    if score == 1:
        return synth.Verdict.passed(score=score, evidence=evidence)
    return synth.Verdict.failed("failed_tests", score=score, evidence=evidence)
"""


async def solved(
    folder: Path, told: Sequence[str], tests: Any = None, **options: Any
) -> list[Record]:
    """Return the solutions of a problem, solution `i` meeting `told[i]` at the tests."""
    (folder / "told.py").write_text(TOLD)

    def reply(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        said = told[origin.sample]
        return f"```python\n# {said}\nx = {origin.sample}\n```" if said else "No."

    asked = {"engine": "a", "n": len(told), **options}
    asked["verifiers"] = [{"./told.py:told": {"as": "unit_tests", "on_fail": "keep"}}]
    asked.setdefault("cross_check", {})
    stage = validated(Solve, asked, folder=folder)
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    turn = Message(role="user", content="Set x.")
    record = Record.seed({"tests": ["a", "b", "c"] if tests is None else tests}, [turn])
    engines = {"a": ScriptedEngine(reply)}
    async with services(
        folder, label="draft", engines=engines, prompts=prompts, stage=stage.verifiers
    ) as given:
        rows = leaving(record, await stage.apply(record, given), "draft")
    return [row for row in rows if row.state != "parent"]


def fates(rows: Sequence[Record]) -> list[str]:
    return [row.dropped.reason.partition(":")[0] if row.dropped else row.state for row in rows]


async def test_a_test_that_no_solution_passes_goes_before_solutions_are_judged(tmp_path: Path):
    rows = await solved(tmp_path, ["pass pass fail", "pass pass error", "fail pass timeout"])

    assert fates(rows) == ["live", "live", "rejected_by_tests"]
    assert all(row.fields["tests"] == ["a", "b"] for row in rows)
    assert all(row.fields["suspect_tests"] == ["c"] for row in rows)
    assert rows[0].fields["pass_rate"] == pytest.approx(2 / 3)


async def test_a_rejected_solution_is_dropped_as_if_by_the_verifier(tmp_path: Path):
    good, bad = await solved(tmp_path, ["pass pass pass", "pass fail fail"])

    assert bad.dropped
    assert (bad.dropped.kind, bad.dropped.by) == ("verdict", "unit_tests")
    assert bad.dropped.reason == "rejected_by_tests: it passes 1 of 3 tests that stay"
    assert good.messages[:-1] == bad.messages[:-1]


async def test_the_verdict_becomes_that_on_the_tests_that_stay(tmp_path: Path):
    good, bad = await solved(tmp_path, ["pass pass fail", "fail pass fail"])

    [verdict] = [given.verdict for given in good.judgements]
    assert (verdict.outcome, verdict.score) == ("pass", 1.0)
    assert verdict.evidence == {
        "passed": 2,
        "total": 2,
        "tests": ["pass", "pass"],
        "isolation": "ns",
    }
    [verdict] = [given.verdict for given in bad.judgements]
    assert (verdict.outcome, verdict.score) == ("fail", 0.5)


async def test_a_solution_that_no_test_accepts_is_suspect(tmp_path: Path):
    rows = await solved(
        tmp_path, ["pass fail fail", "fail fail fail"], cross_check={"min_tests": 0.0}
    )

    assert fates(rows) == ["live", "suspect_solution"]


async def test_where_no_solution_passes_any_test_all_are_dropped_and_none_is_a_rejected_answer(
    tmp_path: Path,
):
    rows = await solved(tmp_path, ["fail fail fail", "error fail fail"])

    assert fates(rows) == ["suspect_tests", "suspect_tests"]
    assert {row.dropped.kind for row in rows if row.dropped} == {"filter"}


@pytest.mark.parametrize(
    ("told", "check"),
    [
        (["pass fail fail", "pass fail fail"], {"keep_tests": 2}),
        (["pass fail fail", "fail pass fail"], {"min_tests": 0.8}),
        (["pass pass pass", "pass pass pass"], {"least_tests": 4}),
    ],
)
async def test_without_agreement_all_are_dropped(
    tmp_path: Path, told: list[str], check: dict[str, Any]
):
    rows = await solved(tmp_path, told, cross_check=check)

    assert fates(rows) == ["no_agreement", "no_agreement"]
    assert {row.dropped.kind for row in rows if row.dropped} == {"filter"}


async def test_thresholds_are_shares_that_suffice_unless_strict(tmp_path: Path):
    told = ["pass pass fail", "pass fail pass", "fail pass fail", "fail fail pass"]
    check = {"min_solutions": 0.5, "min_tests": 0.5}

    loose = await solved(tmp_path, told, cross_check=check)
    strict = await solved(tmp_path, told, cross_check={**check, "strict": True})

    assert fates(loose) == ["live", "live", "rejected_by_tests", "rejected_by_tests"]
    assert fates(strict) == ["suspect_tests"] * 4


async def test_a_threshold_is_met_exactly_whatever_binary_fractions_say(tmp_path: Path):
    told = ["pass pass pass pass fail", "pass pass pass pass pass"]

    rows = await solved(tmp_path, told, tests=["a", "b", "c", "d", "e"])

    assert fates(rows) == ["live", "live"]  # four of five are 0.8


async def test_a_test_that_was_not_run_speaks_for_nobody(tmp_path: Path):
    told = ["timeout killed killed", "pass pass pass"]

    rows = await solved(tmp_path, told, cross_check={"min_solutions": 0.6})

    assert fates(rows) == ["suspect_solution", "live"]
    assert rows[1].fields["tests"] == ["b", "c"]


async def test_equal_solutions_vouch_for_a_test_once(tmp_path: Path):
    told = ["pass fail", "pass fail", "pass fail", "fail pass", "fail pass"]
    check = {"min_solutions": 0.5, "min_tests": 1.0, "least_solutions": 2}

    def same(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        return f"```python\n# {told[origin.sample]}\nx  =  1\n```"

    rows = await solved(tmp_path, told, tests=["a", "b"], cross_check=check)
    assert fates(rows) == ["live"] * 3 + ["suspect_solution"] * 2

    (tmp_path / "equal").mkdir()
    rows = await solved_by(tmp_path / "equal", same, check)
    assert fates(rows) == ["no_agreement"] * 5


async def solved_by(folder: Path, reply: Any, check: dict[str, Any]) -> list[Record]:
    (folder / "told.py").write_text(TOLD)
    judges = [{"./told.py:told": {"as": "unit_tests", "on_fail": "keep"}}]
    written = {"engine": "a", "n": 5, "cross_check": check, "verifiers": judges}
    stage = validated(Solve, written, folder=folder)
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    record = Record.seed({"tests": ["a", "b"]}, [Message(role="user", content="Set x.")])
    async with services(
        folder, engines={"a": ScriptedEngine(reply)}, prompts=prompts, stage=stage.verifiers
    ) as given:
        return list(await stage.apply(record, given))


async def test_replies_without_code_count_as_solutions_that_fail(tmp_path: Path):
    rows = await solved(tmp_path, ["pass pass pass", "", "pass pass pass", ""])

    assert fates(rows) == ["live", "no_code", "live", "no_code"]
    assert rows[0].fields["pass_rate"] == 0.5
    assert rows[1].fields["tests"] == ["a", "b", "c"]


async def test_what_was_not_judged_says_nothing_of_tests(tmp_path: Path):
    told = ["pass pass pass", "unsure", "broken", "pass pass"]

    rows = await solved(tmp_path, told)

    assert fates(rows)[:2] == ["live", "not_judged"]
    assert rows[2].state == "held"
    assert fates(rows)[3] == "not_judged"
    assert rows[0].fields["pass_rate"] == 1.0


async def test_tests_of_one_text_are_cut_into_single_ones(tmp_path: Path):
    text = "import math\nassert x == 1\nassert x < math.pi\n"

    rows = await solved(tmp_path, ["pass fail", "pass fail"], tests=text)

    assert fates(rows) == ["live", "live"]
    assert rows[0].fields["tests"] == [{"source": "import math\nassert x == 1\n"}]
    assert rows[0].fields["suspect_tests"] == [{"source": "import math\nassert x < math.pi\n"}]


async def test_a_text_that_cannot_be_cut_drops_its_problem(tmp_path: Path):
    rows = await solved(tmp_path, ["pass", "pass"], tests="assert x ==")

    assert fates(rows) == ["tests_do_not_compile"]


@pytest.mark.parametrize("tests", ["", [], {"a": 1}, 3])
async def test_a_problem_without_tests_is_dropped_before_anybody_is_asked(
    tmp_path: Path, tests: Any
):
    rows = await solved(tmp_path, ["pass", "pass"], tests=tests)

    assert fates(rows) == ["no_tests"]


async def test_kodcode_labels_how_hard_a_problem_is(tmp_path: Path):
    told = ["pass pass pass", "pass pass pass", "pass pass fail"]

    rows = await solved(tmp_path, told, mode="kodcode")

    assert fates(rows) == ["live", "live", "rejected_by_tests"]
    assert [row.fields["difficulty"] for row in rows] == ["medium"] * 3
    assert rows[0].fields["suspect_tests"] == []


def test_easy_is_above_two_thirds_and_hard_below_one():
    rates = {"hard": (0.0, 0.3, 3 / 10), "medium": (1 / 3, 0.5, 2 / 3), "easy": (0.7, 1.0)}

    for label, given in rates.items():
        assert {difficulty(rate) for rate in given} == {label}
