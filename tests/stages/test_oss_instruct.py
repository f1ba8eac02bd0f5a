"""Problems made from snippets of code: what is drawn, what is read, and what is dropped."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from synth.engine.base import Chat, Completion, Engine, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed
from synth.frozen import validated
from synth.record import Record
from synth.run.boundary import leaving
from synth.stages.oss_instruct import OssInstruct, drawn_difficulty, snippet
from tests.running import saying, services

CODE = "import math\n\ndef area(r):\n    return math.pi * r * r\n"


def code(text: str = CODE, *, number: int = 0) -> Record:
    return Record.seed({"code": text}, number=number)


def said(problem: str, solution: str) -> str:
    return f"Problem: {problem}\nSolution: {solution}"


async def inspired(
    folder: Path, engine: Engine, *records: Record, **options: Any
) -> list[list[Record]]:
    """Return the children that the stage `idea` makes of each record."""
    stage = validated(OssInstruct, {"engine": "teacher", **options}, folder=folder)
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    asked = {"teacher": engine}
    records = records or (code(),)
    async with services(folder, label="idea", engines=asked, prompts=prompts) as given:
        made = await stage.apply_batch(records, given)
    rows = [leaving(one, rows, "idea") for one, rows in zip(records, made, strict=True)]
    return [[row for row in one if row.state != "parent"] for one in rows]


def reason(record: Record) -> str:
    return record.dropped.reason.partition(":")[0] if record.dropped else "live"


async def test_a_snippet_becomes_a_problem_with_its_solution(tmp_path: Path):
    reply = said("Find the area.\nOf a disc.", "Here:\n```python\npass\n```")

    [[child]] = await inspired(tmp_path, saying(reply))

    assert child.instruction == child.fields["problem"] == "Find the area.\nOf a disc."
    assert child.reply == "Here:\n```python\npass\n```"
    assert str(child.fields["snippet"]) in CODE


async def test_what_tells_of_the_code_is_not_told_of_its_problem(tmp_path: Path):
    record = code().adding({"tests": [{"args": [], "expected": 1}], "entry_point": "f", "id": "a"})

    [[child]] = await inspired(tmp_path, saying(said("P", "S")), record)

    told = {field: child.fields[field] for field in ("code", "tests", "entry_point", "id")}
    assert told == {"code": None, "tests": None, "entry_point": None, "id": "a"}


async def test_the_model_is_shown_the_snippet_and_asked_greedily(tmp_path: Path):
    asked: list[tuple[str, Sampling]] = []

    def reply(prompt: Prompted, sampling: Sampling, _origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        asked.append((prompt.messages[-1]["content"], sampling))
        return said("P", "S")

    [[child]] = await inspired(tmp_path, ScriptedEngine(reply))

    [(text, sampling)] = asked
    assert f"<snippet>\n{child.fields['snippet']}\n</snippet>" in text
    assert (sampling.temperature, sampling.max_tokens) == (0.0, 2500)


def test_snippets_are_one_to_fifteen_lines_from_anywhere():
    lines = [f"line {number}" if number % 4 else "" for number in range(1, 40)]

    drawn = [snippet("\n".join(lines), 15, Random(number)) for number in range(6000)]

    begun = Counter(one.splitlines()[0] for one in drawn)
    sizes = Counter(len(one.splitlines()) for one in drawn if one.startswith("line 1\n"))
    assert begun.keys() == {line for line in lines if line}
    assert all(120 < count < 290 for count in begun.values())  # 200 on average
    assert all("\n".join(lines).count(one) for one in drawn)
    assert max(sizes) == 15
    assert min(len(one.splitlines()) for one in drawn) == 1


def test_difficulties_are_drawn_evenly():
    drawn = Counter(drawn_difficulty(Random(number)) for number in range(6000))

    assert drawn.keys() == {"easy", "medium", "hard"}
    assert all(1850 < count < 2150 for count in drawn.values())


@pytest.mark.parametrize(
    ("reply", "code_"),
    [
        ("Solution: S\nProblem: P", "missing_section"),
        ("Problem: only that", "missing_section"),
        ("A problem and a solution.", "missing_section"),
        ("Problem:\nSolution: S", "empty_section"),
        ("Problem: P\nSolution:\n", "empty_section"),
        ("", "empty_problem"),
        ("<think>Problem: P", "unfinished_reasoning"),
        (Completion("Problem: P\nSolution: S", "length"), "cut_off_problem"),
    ],
)
async def test_a_reply_that_is_not_both_sections_is_kept_as_a_drop(
    tmp_path: Path, reply: str | Completion, code_: str
):
    [[child]] = await inspired(tmp_path, saying(reply))

    assert reason(child) == code_
    assert child.fields["raw_reply"] == (reply if isinstance(reply, str) else reply.text)
    assert child.fields["snippet"]


async def test_what_was_said_before_but_for_white_space_is_dropped(tmp_path: Path):
    replies = [said("A b", "one"), said("Ab", "two"), said("C", "o\nne"), said("C", "two")]

    def reply(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        return replies[origin.position[0]]

    seeds = [code(f"x = {number}\n", number=number) for number in range(4)]
    made = await inspired(tmp_path, ScriptedEngine(reply), *seeds)

    # What is dropped leaves room: the last one's texts are those of drops alone.
    assert [reason(one) for [one] in made] == [
        "live",
        "repeated_problem",
        "repeated_solution",
        "live",
    ]


async def test_the_same_snippet_of_another_file_is_a_repeat(tmp_path: Path):
    def reply(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        return said(f"P{origin.position}", f"S{origin.position}")

    seeds = [code("x = 1", number=0), code("x  =  1", number=1)]
    made = await inspired(tmp_path, ScriptedEngine(reply), *seeds)

    assert [reason(one) for [one] in made] == ["live", "repeated_snippet"]


async def test_a_solution_that_holds_the_snippet_is_dropped_only_on_demand(tmp_path: Path):
    reply = said("P", "Copy:\n```\nx=1\ny = 2\n```")

    [[kept]] = await inspired(tmp_path, saying(reply), code("x = 1"))
    [[dropped]] = await inspired(tmp_path, saying(reply), code("x = 1"), copies="drop")

    assert kept.state == "live"
    assert reason(dropped) == "copied_snippet"


async def test_each_document_gives_as_many_snippets_as_asked_for(tmp_path: Path):
    def reply(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        return said(f"P{origin.sample}", f"S{origin.sample}")

    long = "\n".join(f"line_{number} = {number}" for number in range(200))
    [made] = await inspired(tmp_path, ScriptedEngine(reply), code(long), per_document=5)
    [again] = await inspired(tmp_path, ScriptedEngine(reply), code(long), per_document=5)

    assert len({child.fields["snippet"] for child in made if child.state == "live"}) == 5
    assert made == again


def self_aligned(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
    if origin.step == "concepts":
        return "1. circles\n2. constants\n"
    return f"Write area, number {origin.sample}."


async def test_by_concepts_the_task_is_written_without_the_snippet(tmp_path: Path):
    asked: dict[str, str] = {}

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        asked[origin.step] = prompt.messages[-1]["content"]
        return self_aligned(prompt, sampling, origin)

    [[child]] = await inspired(tmp_path, ScriptedEngine(reply), mode="sc2")

    assert CODE in asked["concepts"]
    assert "area" not in asked["instruction"]
    assert "- circles" in asked["instruction"]
    assert str(child.fields["wanted_difficulty"]) in asked["instruction"]
    assert child.fields["concepts"] == ["circles", "constants"]
    assert (child.instruction, child.reply) == ("Write area, number 0.", "")


async def test_by_concepts_a_document_is_taken_whole(tmp_path: Path):
    long = code("x = 1\n" * 151)

    [[dropped]] = await inspired(tmp_path, ScriptedEngine(self_aligned), long, mode="sc2")
    [made] = await inspired(
        tmp_path, ScriptedEngine(self_aligned), mode="sc2", per_document=2, max_lines=4
    )

    assert reason(dropped) == "long_code"
    assert [child.fields["snippet"] for child in made] == [CODE, CODE]
    assert [reason(child) for child in made] == ["live", "live"]


async def test_concepts_that_are_no_list_are_dropped(tmp_path: Path):
    [[child]] = await inspired(tmp_path, saying("Circles."), mode="sc2")

    assert reason(child) == "no_list"
    assert child.fields["raw_reply"] == "Circles."


async def test_a_record_without_code_and_a_failed_call_are_dropped(tmp_path: Path):
    def reply(_prompt: Prompted, _sampling: Sampling, _origin: Origin) -> str:
        raise CallFailed("refused: by the server")

    [[blank], [failed]] = await inspired(
        tmp_path, ScriptedEngine(reply), code(" \n"), code(number=1)
    )

    assert reason(blank) == "no_code"
    assert failed.dropped
    assert (failed.dropped.kind, reason(failed)) == ("error", "refused")
