"""Instruction Mining: the printed rules, on scores of earlier verifiers and on fields."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from synth import Record, Verdict
from synth.record import Judgement
from synth.testing import VerifierContract, judge, record
from tests.running import command, verify_all, write_recipe
from tests.running import services as running

GOOD = {"reward": 2.0, "understandability": 0.5, "naturalness": 0.9, "coherence": 0.9}
BAD = {"reward": -1.0, "understandability": 1.0, "naturalness": 0.1, "coherence": 0.2}


class TestContract(VerifierContract):
    verifier = "instruction_mining"
    options: ClassVar = {"at_most": 0.1}
    must_pass: ClassVar = [record("Yes.", fields=GOOD)]
    must_fail: ClassVar = [record("No.", fields=BAD)]
    must_abstain: ClassVar = ["", record("No.", fields={**GOOD, "reward": "high"})]


def with_score(judged: Record, label: str, score: float | None) -> Record:
    verdict = Verdict("pass", "", score)
    return judged.judged(Judgement("verify", label, "any", "1", verdict))


TABLE = [
    # reward, understandability, naturalness, coherence, and what the rule makes of them
    ((0, 0, 0, 0), 0.0274),
    ((1, 1, 1, 1), -0.0115),
    ((2.5, 0.8, 0.6, 0.9), 0.03206),
    ((-3, 0.25, 0.5, 0.75), -0.113275),
]


@pytest.mark.parametrize(("values", "loss"), TABLE)
def test_the_rule_gives_the_exact_values(values: tuple[float, ...], loss: float):
    [verdict] = judge(
        "instruction_mining", [record("Yes.", fields=dict(zip(GOOD, values, strict=True)))]
    )

    assert verdict.score == pytest.approx(loss, abs=1e-12)
    assert verdict.evidence == dict(zip(GOOD, values, strict=True))


def test_a_better_reward_never_ranks_worse():
    rewards = [-5.0, -1, 0, 0.5, 3, 8]

    verdicts = judge(
        "instruction_mining", [record("Yes.", fields={**GOOD, "reward": one}) for one in rewards]
    )

    scores = [verdict.score or 0 for verdict in verdicts]
    assert scores == sorted(scores, reverse=True)


def test_a_score_counts_before_a_field_and_the_last_score_before_earlier_ones():
    judged = record("Yes.", fields={**GOOD, "reward": 9.0})
    for score in (5.0, 1.0, None):
        judged = with_score(judged, "reward", score)

    [verdict] = judge("instruction_mining", [judged])

    assert verdict.evidence == {**GOOD, "reward": 1.0}


def test_an_indicator_that_the_rule_does_not_know_is_refused():
    with pytest.raises(ValidationError, match=r"`v3` wants indicators reward, under.*got 'length'"):
        judge("instruction_mining", [record("Yes.")], indicators={"length": "length"})


async def test_it_reads_what_verifiers_before_it_said_in_the_same_stage(tmp_path: Path):
    stage = verify_all(
        [
            {"lexical_diversity": {"as": "reward"}},
            {"compression_ratio": {"as": "knn_6"}},
            {"instruction_mining": {"rule": "v1", "indicators": {"length": "words"}}},
        ]
    )

    async with running(tmp_path, stage=stage) as services:
        [[judged]] = await stage.apply_batch([record("no no no no", fields={"words": 4})], services)

    reward, knn_6, mining = (judgement.verdict for judgement in judged.judgements)
    assert reward.score == 2
    assert knn_6.score is not None
    assert mining.evidence == {"reward": 2, "length": 4, "knn_6": knn_6.score}
    assert mining.score == pytest.approx(1.0694 - 0.1498 * 2 + 8.257e-5 * 4 - 0.935 * knn_6.score)


def scores(folder: Path) -> list[Any]:
    said = command(
        "query",
        str(folder),
        "select score from verdicts where verifier = 'instruction_mining'",
        "--json",
    )
    return [row["score"] for row in json.loads(said.out)]


def test_another_verifier_before_it_gives_another_score_in_the_same_folder(tmp_path: Path):
    text = """
name: mined
seeds: [./seeds.jsonl]
stages:
  - verify: {{verifiers: [{before}, {{instruction_mining: {{}}}}]}}
"""
    seeds = [
        {**{name: value for name, value in GOOD.items() if name != "reward"}, "instruction": "a a"}
    ]
    folder = tmp_path / "run"
    found: list[Any] = []

    for before in ("lexical_diversity", "compression_ratio"):
        spelled = f"{{{before}: {{as: reward, of: instruction}}}}"
        recipe = write_recipe(tmp_path, text.format(before=spelled), seeds=seeds)
        ran = command("run", str(recipe), "--into", str(folder))
        assert ran.code == 0, ran.err
        found += scores(folder)

    assert len(found) == 2
    assert found[0] != found[1]
