"""Records through stages: order, concurrency, and what stages may not do."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from synth.engine.base import Origin, Prompted, Sampling
from synth.errors import EngineDown, InputError, PluginError
from tests.run.conftest import Project, answer

RESPOND = {"respond": {"engine": "teacher", "n": 2}}
ECHO = "./odd_stages.py:Echo"
SEEN = {"verify": {"verifiers": ["./odd_verifiers.py:Seen"]}}


def faithless(how: str) -> dict[str, Any]:
    return {"./odd_stages.py:Faithless": {"how": how, "as": "faithless"}}


def seen(label: str) -> dict[str, Any]:
    verifier = {"./odd_verifiers.py:Seen": {"as": f"{label}_seen"}}
    return {"verify": {"as": label, "verifiers": [verifier]}}


def delayed(seed: int, longest_s: float = 0.02) -> Callable[..., Any]:
    """Return a model that answers the same, each time after another delay."""
    drawn = random.Random(seed)

    async def script(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        await asyncio.sleep(drawn.uniform(0, longest_s))
        return answer(prompt)

    return script


def test_the_same_replies_give_the_same_bytes_whatever_the_timing(project: Project) -> None:
    project.write([RESPOND, {"verify": {"verifiers": ["repetition"]}}, seen("again")], seeds=60)

    project.run(answer, "at_rest")
    project.run(delayed(1), "many", at_once=512, workers=2)
    project.run(delayed(2, 0.001), "one", at_once=1)

    at_rest = project.made("at_rest")
    assert len(at_rest) > 5
    assert project.made("many") == at_rest
    assert project.made("one") == at_rest


def test_a_stage_in_order_sees_records_by_position_while_it_is_slow(project: Project) -> None:
    # What a late record finds in the inbox while the lane works on an earlier batch must wait.
    project.write([{"respond": {"engine": "teacher", "n": 3}}, seen("a"), seen("b")], seeds=150)

    project.run(delayed(5, 0.2))

    judged = project.records("a")
    failed = [(before, record) for before, record in pairwise(judged) if record.dropped]
    assert len(failed) == 447
    for before, record in failed:
        assert record.judgements[-1].verdict.reason.endswith(f"after {before.id}")


def test_a_verifier_that_asks_an_engine_may_depend_on_order(project: Project) -> None:
    nth = {"verify": {"verifiers": ["./odd_verifiers.py:Nth"]}}
    project.write([{"respond": {"engine": "teacher", "n": 3}}, nth], seeds=10)

    project.run(delayed(5, 0.05))

    scores = [record.judgements[-1].verdict.score for record in project.records("verify")]
    assert scores == [float(number) for number in range(1, 31)]


@pytest.mark.parametrize(
    ("stages", "seeds"),
    [
        ([seen("first"), RESPOND], 5),
        ([RESPOND, seen("last")], 1),
        ([seen("one"), seen("two")], 5),
        (["./odd_stages.py:DropAll", seen("nothing"), RESPOND], 1),
    ],
    ids=["first", "last", "two in a row", "after a stage that drops everything"],
)
def test_a_run_ends_wherever_the_stage_in_order_stands(
    project: Project, stages: list[Any], seeds: int
) -> None:
    project.write(stages, seeds=seeds)

    assert project.run(answer).exit_code == 0


def test_a_bad_seed_is_a_drop_and_the_others_go_on(project: Project) -> None:
    project.write([RESPOND, seen("again")], max_error_rate=0.5)
    with (project.folder / "seeds.jsonl").open("a") as seeds:
        seeds.write("{bad\n")

    first, again = project.run(answer), project.run(answer)

    assert [record.state for record in project.records("seeds")] == ["live"] * 4 + ["dropped"]
    assert (first.exit_code, again.exit_code) == (0, 0)
    assert [run.progress.stages[0].taken for run in (first, again)] == [5, 5]
    assert [run.progress.error_rate for run in (first, again)] == [0.2, 0.2]


def test_seeds_without_a_good_one_are_an_error_before_anything_runs(project: Project) -> None:
    project.write([RESPOND])
    (project.folder / "seeds.jsonl").write_text("{bad\n{worse\n")

    with pytest.raises(InputError, match="no good one"):
        project.run(answer)

    assert not (project.folder / "run").exists()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("vanish", "let record .* vanish"),
        ("none", "let record .* vanish"),
        ("bare", "let record .* vanish"),
        ("foreign", "not its parent"),
        ("moved", "not its parent"),
        ("twins", "two records with the id"),
        ("text", "wanted a Record"),
    ],
)
def test_a_stage_that_breaks_its_contract_is_named(project: Project, how: str, said: str) -> None:
    project.write([ECHO, faithless(how), RESPOND])

    with pytest.raises(PluginError, match=f"'faithless'.*{said}"):
        project.run(answer)

    left = {file.name for file in (project.folder / "run" / "stages").iterdir()}
    assert left <= {"00-seeds.parquet", "01-Echo.parquet"}


def test_a_batch_with_an_outcome_too_few_is_named(project: Project) -> None:
    project.write(["./odd_stages.py:Short"])

    with pytest.raises(PluginError, match="'Short' gave 3 outcomes for 4 records"):
        project.run(answer)


def test_a_field_that_is_no_json_drops_its_record_alone(project: Project) -> None:
    project.write(["./odd_stages.py:Unwritable"])

    project.run(answer)

    errors = [record for record in project.records("Unwritable") if record.dropped]
    assert [record.position for record in errors] == [(1,)]
    assert errors[0].dropped is not None
    assert errors[0].dropped.kind == "error"
    assert errors[0].dropped.reason.startswith("not_json: ")


def test_a_stage_that_raises_over_a_record_is_tried_again_with_that_record_only(
    project: Project,
) -> None:
    project.write([{"respond": {"engine": "teacher"}}, seen("again")], max_error_rate=1.0)
    asked: list[str] = []

    def moody(prompt: Any, *_: object) -> str:
        asked.append(prompt.messages[-1]["content"])
        if asked[-1] == "Question 2?" and asked.count("Question 2?") == 1:
            raise KeyError("no such thing")
        return answer(prompt)

    project.run(moody)
    (broken,) = [record for record in project.records("respond") if record.dropped]
    outcome = project.run(moody)

    assert broken.dropped is not None
    assert (broken.dropped.kind, broken.dropped.by) == ("error", "respond")
    assert broken.dropped.reason == "exception: KeyError: 'no such thing'"
    assert sorted(asked) == [f"Question {n}?" for n in (0, 1, 2, 2, 3)]
    assert outcome.progress.error_rate == 0


def test_an_outage_inside_a_group_of_tasks_is_no_drop(project: Project) -> None:
    project.write(["./odd_stages.py:Grouped"])

    def down(*_: object) -> str:
        raise EngineDown("nobody is there")

    with pytest.raises(EngineDown, match="nobody is there"):
        project.run(down)


def test_too_many_errors_end_with_1_and_few_with_0(project: Project) -> None:
    def moody(prompt: Any, *_: object) -> str:
        if prompt.messages[-1]["content"] == "Question 1?":
            raise ValueError("not this one")
        return answer(prompt)

    project.write([{"respond": {"engine": "teacher"}}], max_error_rate=0.2)
    many = project.run(moody, "many")
    project.write([{"respond": {"engine": "teacher"}}], max_error_rate=0.25)
    few = project.run(moody, "few")

    assert (many.exit_code, few.exit_code) == (1, 0)
    assert many.progress.error_rate == 0.25


def test_errors_among_children_are_counted_by_children(project: Project) -> None:
    def moody(prompt: Any, _: object, origin: Origin) -> str:
        if origin.sample == 0 and origin.position == (0,):
            raise ValueError("not this one")
        return answer(prompt)

    project.write([{"respond": {"engine": "teacher", "n": 10}}])
    outcome = project.run(moody)

    assert outcome.progress.error_rate < 0.05


def test_a_slow_verifier_does_not_keep_the_model_waiting(project: Project) -> None:
    log = project.folder / "log.txt"
    logged = {"./odd_verifiers.py:Logged": {"log": str(log), "seconds": 0.02}}
    project.write(
        [{"respond": {"engine": "teacher"}}, {"verify": {"verifiers": [logged]}}], seeds=60
    )
    answered: list[float] = []

    async def timed(prompt: Any, *_: object) -> str:
        await asyncio.sleep(0.005)
        answered.append(time.time())
        return answer(prompt)

    project.run(timed, at_once=8)

    judged = [float(line.split()[0]) for line in log.read_text().splitlines()]
    assert len(judged) == len(answered) == 60
    assert sum(when > max(answered) for when in judged) > 30
