"""Tests that a model writes: how they are read, what function they call, and what is dropped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Chat, Completion, Engine, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed
from synth.frozen import validated
from synth.record import Message, Record
from synth.run.boundary import leaving
from synth.stages.parts.entry_points import entry_point_named, entry_point_of
from synth.stages.write_tests import WriteTests
from tests.running import not_for_ever, saying, services

NAMED = {"entry_point": "double"}
THREE = "assert double(1) == 2\nassert double(0) == 0\nassert double(-1) == -2"


def problem(reply: str = "", **fields: Any) -> Record:
    turns = [Message(role="user", content="Write a function that doubles a number.")]
    if reply:
        turns.append(Message(role="assistant", content=reply))
    return Record.seed(fields, turns)


def fenced(code: str, language: str = "python") -> str:
    return f"```{language}\n{code}\n```"


async def written(
    folder: Path, engine: Engine, record: Record | None = None, **options: Any
) -> list[Record]:
    """Return the children that the stage `tests` makes of a record."""
    stage = validated(WriteTests, {"engine": "teacher", **options}, folder=folder)
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    record = record or problem(**NAMED)
    async with services(
        folder, label="tests", engines={"teacher": engine}, prompts=prompts
    ) as given:
        return leaving(record, await stage.apply(record, given), "tests")[1:]


def reason(record: Record) -> str:
    return record.dropped.reason.partition(":")[0] if record.dropped else "live"


def sources(record: Record) -> list[str]:
    return [test["source"] for test in record.fields["tests"]]


async def test_asserts_become_tests_of_their_own(tmp_path: Path):
    [child] = await written(tmp_path, saying(f"Here:\n{fenced(THREE)}\n"))

    assert sources(child) == [f"{line}\n" for line in THREE.splitlines()]
    assert child.fields["entry_point"] == "double"
    assert child.instruction == "Write a function that doubles a number."


async def test_arguments_with_results_are_read_from_json(tmp_path: Path):
    said = '[{"args": [1], "expected": 2, "why": "x"}, {"kwargs": {"x": 2}, "expected": 4},\n'
    said += '{"args": [null], "raises": "TypeError"}]'

    [child] = await written(tmp_path, saying(fenced(said, "json")), kind="inputs_outputs")

    assert child.fields["tests"] == [
        {"args": [1], "kwargs": {}, "expected": 2},
        {"args": [], "kwargs": {"x": 2}, "expected": 4},
        {"args": [None], "kwargs": {}, "raises": "TypeError"},
    ]


async def test_input_with_output_needs_no_function(tmp_path: Path):
    said = '[{"stdin": "1\\n", "stdout": "2\\n"}, {"stdout": "none"}, {"stdin": "3", "stdout": ""}]'

    [child] = await written(tmp_path, saying(said), problem(), kind="programs")

    assert child.fields["tests"][1] == {"stdin": "", "stdout": "none"}
    assert "entry_point" not in child.fields


async def test_suites_are_joined_without_what_stands_twice(tmp_path: Path):
    lines = THREE.splitlines()

    def reply(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        return fenced("\n".join(lines[origin.sample : origin.sample + 2]))

    [child] = await written(tmp_path, ScriptedEngine(reply), suites=2)

    assert sources(child) == [f"{line}\n" for line in lines]


async def test_a_suite_that_cannot_be_used_is_a_drop_beside_the_others(tmp_path: Path):
    def reply(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        if origin.sample == 2:
            raise CallFailed("refused: by the server")
        return fenced(THREE) if origin.sample else "I cannot."

    child, unread, failed = await written(tmp_path, ScriptedEngine(reply), suites=3)

    assert (reason(child), reason(unread), reason(failed)) == ("live", "no_tests", "refused")
    assert unread.fields["raw_reply"] == "I cannot."
    assert failed.dropped
    assert failed.dropped.kind == "error"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Use a loop.", "no_tests"),
        (fenced(THREE, "bash"), "no_tests"),
        (fenced(THREE) + "\n" + fenced(THREE), "several_blocks"),
        (f"```python\n{THREE}", "cut_off_tests"),
        (Completion(fenced(THREE), "length"), "cut_off_tests"),
        ("", "empty_tests"),
        ("<think>assert", "unfinished_reasoning"),
        (fenced("assert double(1) =="), "tests_do_not_compile"),
        (fenced("assert double(1) == 2\0"), "tests_do_not_compile"),
        (fenced("(" * 5000), "tests_do_not_compile"),
        (fenced("print(double(1))"), "no_assert"),
        (fenced("def test_it():\n    double(1)"), "no_assert"),
        (fenced("assert triple(1) == 3"), "wrong_entry_point"),
        (fenced(f"def double(x):\n    return 2 * x\n{THREE}"), "own_solution"),
        (fenced("double = lambda x: 2 * x\n" + THREE), "own_solution"),
        (fenced("assert double(1) == 2\n" * 9), "few_tests"),
    ],
)
async def test_asserts_that_cannot_be_used_are_dropped(
    tmp_path: Path, said: str | Completion, code: str
):
    [child] = await written(tmp_path, saying(said))

    assert reason(child) == code
    raw = said if isinstance(said, str) else said.text
    assert code == "few_tests" or child.fields["raw_reply"] == raw


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("1, 2", "unreadable_tests"),
        ('{"args": [], "expected": 0}', "unreadable_tests"),
        ("[]", "no_tests"),
        ("[1]", "unreadable_tests"),
        ('[{"args": 1, "expected": 0}]', "unreadable_tests"),
        ('[{"args": [], "kwargs": [], "expected": 0}]', "unreadable_tests"),
        ('[{"args": []}]', "unreadable_tests"),
        ('[{"args": [], "raises": 1}]', "unreadable_tests"),
        ('[{"args": [], "expected": NaN}]', "unreadable_tests"),
        ('[{"args": [], "expected": 0}]', "few_tests"),
    ],
)
async def test_json_that_holds_no_tests_is_dropped(tmp_path: Path, said: str, code: str):
    [child] = await written(tmp_path, saying(said), kind="inputs_outputs")

    assert reason(child) == code


@pytest.mark.parametrize("said", ['[{"stdin": 1, "stdout": ""}]', '[{"stdin": ""}]'])
async def test_a_program_is_tested_by_texts(tmp_path: Path, said: str):
    [child] = await written(tmp_path, saying(said), kind="programs")

    assert reason(child) == "unreadable_tests"


async def test_without_a_name_the_model_chooses_one(tmp_path: Path):
    said = f"**Function:** `double(x: int) -> int`\n\n{fenced(THREE)}"

    [child] = await written(tmp_path, saying(said), problem())

    assert child.fields["entry_point"] == "double"
    assert child.fields["signature"] == "double(x: int) -> int"


async def test_tests_of_a_function_that_nobody_named_are_dropped(tmp_path: Path):
    [child] = await written(tmp_path, saying(fenced(THREE)), problem())

    assert reason(child) == "no_entry_point_named"


async def test_suites_that_choose_another_name_than_the_first_are_dropped(tmp_path: Path):
    def reply(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        name = "twice" if origin.sample else "double"
        return f"Function: {name}(x)\n{fenced(THREE.replace('double', name))}"

    child, other = await written(tmp_path, ScriptedEngine(reply), problem(), suites=2)

    assert child.fields["entry_point"] == "double"
    assert reason(other) == "wrong_entry_point"


async def test_the_prompt_shows_the_solution_only_where_the_recipe_says_so(tmp_path: Path):
    asked: list[str] = []

    def reply(prompt: Prompted, _sampling: Sampling, _origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        asked.append(prompt.messages[-1]["content"])
        return fenced(THREE)

    record = problem(fenced("def double(x):\n    return x + x"))
    for number, shown in enumerate([False, True]):
        (tmp_path / str(number)).mkdir()
        await written(tmp_path / str(number), ScriptedEngine(reply), record, show_solution=shown)

    assert ["return x + x" in text for text in asked] == [False, True]
    assert all("Write 10 tests in Python for the function `double(x)`" in text for text in asked)


def test_the_function_is_named_by_the_record_or_is_the_only_one_of_its_code():
    code = "def _half(x):\n    return x / 2\n\ndef double(x, y=1):\n    return _half(4 * x)\n"

    assert entry_point_of(problem(code=code)) == ("double", "double(x, y=1)")
    assert entry_point_of(problem(fenced(code))) == ("double", "double(x, y=1)")
    assert entry_point_of(problem(code=code, entry_point="_half")) == ("_half", "_half(x)")
    assert entry_point_of(problem(entry_point="Stack.push")) == ("Stack.push", "")
    assert entry_point_of(problem(entry_point="f", signature="f(a)")) == ("f", "f(a)")
    assert entry_point_of(problem(code=code + "def triple(x):\n    return 3 * x\n")).name == ""
    assert entry_point_of(problem(code="def double(")).name == ""


@pytest.mark.parametrize("said", ["Function: 2x(a)", "Function: def", "Function:\n", "A Function"])
def test_what_is_no_name_names_nothing(said: str):
    with pytest.raises(ValueError, match=r"^no_entry_point_named: "):
        entry_point_named(said)


def test_a_signature_that_python_does_not_read_leaves_the_name():
    assert entry_point_named("function: def area(r, ...)") == ("area", "")


def test_a_long_line_is_read_at_once():
    with not_for_ever(), pytest.raises(ValueError, match="no_entry_point_named"):
        entry_point_named("Function:" + " *`" * 100_000 + "(" * 100_000)
