"""pass@k: the estimator against exact counting, and what counts as a sample in a real run."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from fractions import Fraction
from itertools import combinations
from math import comb
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.cli.pass_at import pass_at, rates

VERIFIER = '''
"""Stands in for tests: a reply says how many of four it passes."""
from synth import Record, Verdict, Verifier, verifier


@verifier(reasons=("near_duplicate",))
def unlike(record: Record):
    """Return whether the reply is like none before, as it says itself."""
    return Verdict.failed("near_duplicate") if record.reply == "again" else True


class Tests(Verifier):
    """The reply is the number of tests that it passes."""

    name = "tests"
    reasons = ("failed_tests", "not_judged")

    def judge(self, records):
        """Return one verdict for each record."""
        return [self._verdict(record.reply) for record in records]

    def _verdict(self, reply):
        if reply == "break":
            raise RuntimeError("the sandbox broke")
        if not reply.isdigit():
            return Verdict.abstained("not_judged", "no number")
        evidence = {"passed": int(reply), "total": 4}
        if reply == "4":
            return Verdict.passed(evidence=evidence)
        return Verdict.failed("failed_tests", "too few", evidence=evidence)
'''
RECIPE = """
name: passing
seeds: [seeds.jsonl]
engines:
  teacher: {scripted: {replies: replies.jsonl}}
stages:
  - respond: {engine: teacher, n: 12}
  - verify:
      verifiers:
        - pattern: {forbids: [prose]}
        - ./tests_of_ours.py:unlike
        - ./tests_of_ours.py:Tests: {on_fail: keep, as: suite}
  - revise: {engine: teacher, how: repair, failed_by: [suite]}
  - verify:
      as: again
      verifiers: [{./tests_of_ours.py:Tests: {as: repaired}}]
export: {sft: {}}
max_error_rate: 1.0
"""
REPLIES = [
    # 3 pass, 5 fail, 2 are unfit (prose, empty), 1 is not judged, 1 breaks its verifier.
    ["4", "4", "4", "0", "1", "2", "3", "0", "prose", "", "none", "break"],
    # 12 fail
    ["0"] * 12,
    # 1 passes, 8 fail, 1 is like another, 2 calls fail: too few for pass@10
    ["4", *["1"] * 8, "again", None, None],
    # 12 are unfit
    ["prose"] * 12,
]


def synth(*words: str | Path, cwd: Path) -> str:
    command = [sys.executable, "-m", "synth.cli", *map(str, words)]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the finished run `run`: four problems with twelve solutions each."""
    folder = tmp_path_factory.mktemp("passing")
    (folder / "tests_of_ours.py").write_text(VERIFIER)
    (folder / "recipe.yaml").write_text(RECIPE)
    seeds = [{"instruction": f"Problem {number}"} for number in range(len(REPLIES))]
    write_lines(folder / "seeds.jsonl", seeds)
    replies: list[dict[str, Any]] = []
    for ordinal, said in enumerate(REPLIES):
        replies += [
            {"stage": "respond", "ordinal": ordinal, "sample": sample, "reply": reply}
            for sample, reply in enumerate(said)
            if reply is not None
        ]
        replies.append({"stage": "revise", "step": "repair 1", "ordinal": ordinal, "reply": "4"})
    write_lines(folder / "replies.jsonl", replies)
    synth("run", "recipe.yaml", "--into", "run", "--workers", "1", cwd=folder)
    return folder


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def exact(k: int, samples: int, passed: int) -> Fraction:
    return 1 - Fraction(comb(samples - passed, k), comb(samples, k))


@given(st.data())
def test_it_is_what_exact_combinatorics_give(data: st.DataObject):
    samples = data.draw(st.integers(1, 400))
    passed = data.draw(st.integers(0, samples))
    k = data.draw(st.integers(1, samples))

    estimate = pass_at(k, samples, passed)

    assert estimate == pytest.approx(float(exact(k, samples, passed)), abs=1e-12)
    assert 0 <= estimate <= 1


@pytest.mark.parametrize(("samples", "passed", "k"), [(5, 2, 1), (6, 1, 3), (7, 3, 4), (4, 4, 2)])
def test_it_is_the_share_of_all_draws_of_k_that_hold_a_pass(samples: int, passed: int, k: int):
    draws = list(combinations([True] * passed + [False] * (samples - passed), k))

    share = sum(any(draw) for draw in draws) / len(draws)

    assert pass_at(k, samples, passed) == pytest.approx(share)


def test_it_does_not_depend_on_how_many_samples_were_drawn():
    rng, tries = random.Random(7), 4000
    drawn = [sum(rng.random() < 0.2 for _ in range(12)) for _ in range(tries)]

    mean = sum(pass_at(5, 12, passed) for passed in drawn) / tries

    assert mean == pytest.approx(1 - 0.8**5, abs=0.01)


def test_so_many_samples_do_not_overflow():
    assert pass_at(100, 10_000, 100) == pytest.approx(float(exact(100, 10_000, 100)))


def test_more_tries_than_samples_are_refused():
    with pytest.raises(ValueError, match=r"pass@10 wants at least 10 samples of a problem, got 9"):
        pass_at(10, 9, 1)


def test_a_run_without_tests_has_none():
    assert rates([]) == []


def test_a_run_tells_what_it_counted(folder: Path):
    [row] = json.loads(synth("show", "run", "--json", cwd=folder))["pass_at"]

    assert row["label"] == "suite"
    assert row["problems"] == 4
    assert row["samples"] == 10 + 12 + 9 + 12
    assert row["passed"] == 3 + 0 + 1 + 0
    assert row["unfit"] == 2 + 12
    assert row["uncounted"] == 2 + 3


def test_pass_at_k_is_the_mean_over_problems_with_k_samples(folder: Path):
    [row] = json.loads(synth("show", "run", "--json", cwd=folder))["pass_at"]

    counted = [(10, 3), (12, 0), (9, 1), (12, 0)]
    at_one = sum(exact(1, samples, passed) for samples, passed in counted) / 4
    assert row["pass_at"]["1"] == {"rate": pytest.approx(float(at_one)), "problems": 4}
    assert row["pass_at"]["10"] == {"rate": pytest.approx(1 / 3), "problems": 3}
    assert "100" not in row["pass_at"]


def test_repairs_pass_and_are_no_samples(folder: Path):
    sql = "SELECT count(*) AS n FROM verdicts WHERE label = 'repaired' AND outcome = 'pass'"

    [passing] = json.loads(synth("query", "run", sql, "--json", cwd=folder))

    assert passing["n"] > 4
    assert (
        "repaired" not in synth("show", "run", cwd=folder).partition("pass@k")[2].split("record")[0]
    )


def test_show_prints_it_as_a_table(folder: Path):
    shown = synth("show", "run", cwd=folder)

    table = shown.partition("pass@k: how likely")[2].splitlines()
    assert table[1].split() == [
        *("label", "problems", "samples", "passed", "unfit", "uncounted", "pass@1", "pass@10")
    ]
    assert table[2].split() == ["suite", "4", "43", "4", "14", "5", "0.103", "0.333", "of", "3"]


def test_the_help_says_what_counts(folder: Path):
    told = synth("show", "--help", cwd=folder)

    assert "pass@k" in told
    assert "Chen et al." in told
