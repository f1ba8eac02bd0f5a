"""Solutions of a problem: what is asked, which replies are code, and what becomes of the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth.engine.base import Chat, Completion, Engine, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed
from synth.frozen import validated
from synth.record import Judgement, Message, Record, Verdict
from synth.run.boundary import leaving
from synth.stages.parts.code_field import code_after
from synth.stages.revise import Revise
from synth.stages.solve import Solve
from tests.running import saying, services

GOOD = "def double(x):\n    return 2 * x\n"
NAMED = {"entry_point": "double"}


def problem(**fields: Any) -> Record:
    asked = Message(role="user", content="Write a function that doubles a number.")
    return Record.seed(fields, [asked])


def fenced(code: str) -> str:
    return f"So:\n```python\n{code}```\nDone."


async def solved(folder: Path, engine: Engine, record: Record, **options: Any) -> list[Record]:
    """Return the children that the stage `draft` makes of a record."""
    stage = validated(Solve, {"engine": "teacher", **options}, folder=folder)
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    async with services(
        folder,
        label="draft",
        engines={"teacher": engine},
        prompts=prompts,
        stage=stage.verifiers,
    ) as given:
        return leaving(record, await stage.apply(record, given), "draft")[1:]


def reason(record: Record) -> str:
    return record.dropped.reason.partition(":")[0] if record.dropped else "live"


async def test_a_solution_is_the_whole_reply_and_its_code_a_field(tmp_path: Path):
    [child] = await solved(tmp_path, saying(f"<think>Hm.</think>{fenced(GOOD)}"), problem(**NAMED))

    assert child.fields["code"] == GOOD
    assert child.reply == fenced(GOOD)
    assert child.messages[-1].get("reasoning") == "Hm."
    assert child.instruction == "Write a function that doubles a number."


async def test_each_of_n_solutions_is_a_call_of_its_own_drawn_at_eight_tenths(tmp_path: Path):
    drawn: list[Sampling] = []

    def reply(_prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        drawn.append(sampling)
        return fenced(f"{GOOD}# {origin.sample}\n")

    made = await solved(tmp_path, ScriptedEngine(reply), problem(**NAMED), n=3)

    assert [str(child.fields["code"])[-4:] for child in made] == ["# 0\n", "# 1\n", "# 2\n"]
    assert {(one.temperature, one.top_p) for one in drawn} == {(0.8, 0.95)}


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        (NAMED, "Define `double` under exactly this name"),
        ({**NAMED, "signature": "double(x: int)"}, "Define `double(x: int)` under"),
        ({"code": "def double(x, y=2): ..."}, "Define `double(x, y=2)` under"),
        ({}, "Solve it in python."),
    ],
)
async def test_the_prompt_names_the_function_as_far_as_it_is_known(
    tmp_path: Path, fields: dict[str, Any], wanted: str
):
    asked: list[str] = []

    def reply(prompt: Prompted, _sampling: Sampling, _origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        asked.append(prompt.messages[-1]["content"])
        return fenced(GOOD)

    await solved(tmp_path, ScriptedEngine(reply), problem(**fields))

    assert wanted in asked[0]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Multiply it by two.", "no_code"),
        (fenced(GOOD) + fenced(GOOD), "several_blocks"),
        (f"```python\n{GOOD}", "cut_off_code"),
        (Completion(fenced(GOOD), "length"), "cut_off_code"),
        ("", "empty_code"),
        ("<think>Multiply", "unfinished_reasoning"),
        (fenced("Here is the code:\n" + GOOD), "does_not_compile"),
        (fenced("return 1\n"), "does_not_compile"),
        (fenced("def double(x):\n  return '\0'\n"), "does_not_compile"),
        (fenced("def twice(x):\n    return 2 * x\n"), "no_entry_point"),
        (fenced("class A:\n    def double(self, x):\n        return 2 * x\n"), "no_entry_point"),
        (fenced("def main():\n    double = 2\n"), "no_entry_point"),
        (fenced("double(3)\n"), "no_entry_point"),
    ],
)
async def test_a_reply_that_is_no_solution_is_kept_as_a_drop(
    tmp_path: Path, said: str | Completion, code: str
):
    [child] = await solved(tmp_path, saying(said), problem(**NAMED))

    assert reason(child) == code
    assert child.fields["raw_reply"] == (said if isinstance(said, str) else said.text)


@pytest.mark.parametrize(
    "code",
    [
        "double = lambda x: 2 * x\n",
        "class double:\n    pass\n",
        "from operator import add as double\n",
        "try:\n    import fast\nexcept ImportError:\n    def double(x):\n        return 2 * x\n",
        "twice, double = None, abs\n",
        "async def double(x):\n    return 2 * x\n",
    ],
)
async def test_whatever_binds_the_name_at_the_top_level_defines_it(tmp_path: Path, code: str):
    [child] = await solved(tmp_path, saying(fenced(code)), problem(**NAMED))

    assert child.state == "live"


async def test_of_a_dotted_path_the_class_must_be_there(tmp_path: Path):
    code = "class Stack:\n    def push(self, x):\n        pass\n"

    [child] = await solved(tmp_path, saying(fenced(code)), problem(entry_point="Stack.push"))

    assert child.state == "live"


async def test_another_language_is_not_read_as_python(tmp_path: Path):
    said = "```js\nfunction double(x) { return 2 * x }\n```"

    [child] = await solved(tmp_path, saying(said), problem(**NAMED), language="javascript")

    assert child.fields["code"] == "function double(x) { return 2 * x }\n"


async def test_a_failed_call_is_an_error_of_its_own_child(tmp_path: Path):
    def reply(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
        if origin.sample:
            raise CallFailed("refused: by the server")
        return fenced(GOOD)

    good, failed = await solved(tmp_path, ScriptedEngine(reply), problem(**NAMED), n=2)

    assert (reason(good), reason(failed)) == ("live", "refused")


async def test_without_cross_check_verifiers_judge_as_their_policies_say(tmp_path: Path):
    only = [{"pattern": {"wants": ["return"], "of": "reply"}}]

    [child] = await solved(
        tmp_path, saying(fenced("double = abs\n")), problem(**NAMED), verifiers=only
    )

    assert child.dropped
    assert (child.dropped.kind, child.dropped.by) == ("verdict", "pattern")


KEPT = {"unit_tests": {"on_fail": "keep"}}


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"n": 2, "cross_check": {}}, "wants `by` to be a label in `verifiers` (none)"),
        (
            {"n": 2, "cross_check": {}, "verifiers": [{"unit_tests": {"as": "ran"}}]},
            "`verifiers` (ran)",
        ),
        ({"n": 2, "cross_check": {"by": "x"}, "verifiers": [KEPT]}, "(unit_tests)"),
        ({"n": 2, "cross_check": {}, "verifiers": ["unit_tests"]}, "`on_fail: keep`"),
        ({"n": 1, "cross_check": {}, "verifiers": [KEPT]}, "more solutions than `n: 1`"),
        ({"n": 2, "mode": "autoif", "verifiers": [KEPT]}, "more solutions than `n: 2`"),
        ({"mode": "kodcode"}, "`by` to be a label in `verifiers` (none)"),
    ],
)
def test_a_cross_check_that_cannot_work_is_refused(
    tmp_path: Path, options: dict[str, Any], wanted: str
):
    with pytest.raises(ValidationError) as refused:
        validated(Solve, {"engine": "teacher", **options}, folder=tmp_path)

    assert wanted in str(refused.value)


def test_modes_are_as_published_where_nothing_else_is_said(tmp_path: Path):
    def made(**options: Any) -> Solve:
        written = {"engine": "teacher", "verifiers": [KEPT], **options}
        return validated(Solve, written, folder=tmp_path)

    kodcode, paper = made(mode="kodcode"), made(mode="autoif_paper", n=5)
    own = made(mode="autoif", cross_check={"min_tests": 0.7}).cross_check

    assert (kodcode.n, paper.n) == (10, 5)
    assert kodcode.cross_check
    assert paper.cross_check
    assert own
    assert (kodcode.cross_check.min_solutions, kodcode.cross_check.min_tests) == (None, 1.0)
    assert (paper.cross_check.min_tests, paper.cross_check.strict) == (0.5, True)
    assert (own.min_tests, own.least_tests, own.least_solutions) == (0.7, 10, 3)


def test_a_new_reply_brings_its_own_code():
    record = Record.seed(
        {"code": GOOD},
        [Message(role="user", content="?"), Message(role="assistant", content=fenced(GOOD))],
    )
    elsewhere = record.adding({"code": "x = 1\n"})

    assert code_after(record, fenced("double = abs\n")) == {"code": "double = abs\n"}
    assert code_after(record, "I cannot.") == {"code": None}
    assert code_after(elsewhere, fenced("double = abs\n")) == {}


async def test_a_repaired_solution_is_judged_by_its_own_code(tmp_path: Path):
    turn = Message(role="assistant", content=fenced("double = None\n"))
    record = Record.seed({"code": "double = None\n"}, [*problem().messages, turn])
    verdict = Verdict.failed("failed_tests", "test 1: fail")
    record = record.judged(Judgement("check", "passes", "unit_tests", "1", verdict))
    options = {"engine": "teacher", "how": "repair", "failed_by": ["passes"]}
    stage = validated(Revise, options, folder=tmp_path)
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    engines = {"teacher": saying(fenced(GOOD))}

    async with services(tmp_path, engines=engines, prompts=prompts) as given:
        [repaired] = await stage.apply(record, given)

    assert repaired.fields["code"] == GOOD
