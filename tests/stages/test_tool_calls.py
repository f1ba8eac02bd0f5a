"""Conversations with tools: their shape, what drops them, and that draws are even."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from synth.engine.base import Chat, Completion, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed
from synth.frozen import validated
from synth.record import Record
from synth.run.boundary import leaving
from synth.stages.parts.tool_draws import KINDS, drawn_kind, drawn_plan
from synth.stages.parts.tool_specs import read_tools, tools_in
from synth.stages.tool_calls import ToolCalls
from tests.running import services

HERE = Path(__file__).parent
TOOLS = read_tools(HERE / "tools.jsonl")
ARGUMENTS: dict[str, dict[str, Any]] = {
    "get_weather": {"place": "Rome"},
    "add_event": {"title": "Tea", "day": "Monday"},
    "convert": {"amount": 5, "to": "EUR"},
    "list_events": {"day": "Monday"},
    "clock": {},
}


def stage(**options: Any) -> ToolCalls:
    given = {"engine": "a", "tools": "tools.jsonl", **options}
    return validated(ToolCalls, given, folder=HERE)


async def talks(
    folder: Path, made: ToolCalls, script: Any, record: Record | None = None
) -> list[Record]:
    record = record or Record.seed({"n": 1})
    prompts = {name: prompt.source for name, prompt in made.compiled({}).items()}
    engines = {"a": ScriptedEngine(script)}
    async with services(folder, label="tools", engines=engines, prompts=prompts) as given:
        return leaving(record, await made.apply(record, given), "tools")[1:]


def good_calls(prompt: Prompted, step: str) -> list[dict[str, Any]]:
    """Return the calls that the request, as `scripted` writes it, names."""
    assert isinstance(prompt, Chat)
    text = "\n".join(turn["content"] for turn in prompt.messages)
    named = text.split("WANTS ")[1].split("\n")[0].strip().split(", ")
    if named == ["nothing"]:
        return []
    if named[0] == "then":
        named = [named[1:][int(step[-1])]]
    return [
        {"name": name, "arguments": {**ARGUMENTS[name], **({"to": f"X{n}"} if n else {})}}
        for n, name in enumerate(named)
    ]


def scripted(plan_of: dict[int, str], *, native: bool, **said: Any) -> Any:
    """Return a script of a good conversation; `said` replaces what is said at a step."""

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str | Completion:
        if origin.step in said:
            return said[origin.step]
        if origin.step == "request":
            return f"Please. WANTS {plan_of[origin.sample]}"
        if origin.step.startswith("result"):
            return json.dumps({"ok": origin.step})
        if origin.step == "answer":
            return "Here it is."
        calls = good_calls(prompt, origin.step)
        return natively(*calls) if native else json.dumps(calls)

    return reply


def natively(*calls: dict[str, Any]) -> Completion:
    given = [
        {
            "id": "chatcmpl-random",
            "type": "function",
            "function": {"name": call["name"], "arguments": json.dumps(call["arguments"])},
        }
        for call in calls
    ]
    return Completion("", "tool_calls", tool_calls=tuple(given))


async def plan_of(folder: Path, made: ToolCalls) -> Any:
    """Return the plan that is drawn for child 0 of the record that tests use."""
    async with services(folder, label="tools") as given:
        rng = given.rng(Record.seed({"n": 1}), "tools", "0")
    kind = drawn_kind(made.kinds, rng)
    return drawn_plan(kind, TOOLS, rng, shown=made.shown, calls=made.calls)


async def talk(
    folder: Path, kind: str, *, how: str = "json", end: str = "answer", **said: Any
) -> tuple[Record, Any]:
    made = stage(kinds=[kind], how=how, end=end)
    plan = await plan_of(folder, made)
    wants = ", ".join([*(["then"] if kind == "sequential" else []), *plan.wanted]) or "nothing"
    unlike = {name: value(plan) if callable(value) else value for name, value in said.items()}
    script = scripted({0: wants}, native=how == "native", **unlike)
    (child,) = await talks(folder, made, script)
    return child, plan


def reason(record: Record) -> str:
    assert record.dropped is not None, record.messages
    return record.dropped.reason.split(":")[0]


@pytest.mark.parametrize("how", ["json", "native"])
@pytest.mark.parametrize("kind", ["single", "multiple"])
async def test_one_call_is_answered_by_its_result_and_the_assistant(
    tmp_path: Path, how: str, kind: str
):
    child, plan = await talk(tmp_path, kind, how=how)

    assert [turn["role"] for turn in child.messages] == ["user", "assistant", "tool", "assistant"]
    (call,) = child.messages[1].get("tool_calls", [])
    assert call["id"] == "call_1" == child.messages[2].get("tool_call_id")
    assert call["function"]["name"] == plan.wanted[0]
    assert json.loads(call["function"]["arguments"]) == ARGUMENTS[plan.wanted[0]]
    assert (child.fields["tool_kind"], child.reply) == (kind, "Here it is.")
    assert len(child.fields["tools"]) == (1 if kind == "single" else len(plan.shown))


@pytest.mark.parametrize("how", ["json", "native"])
async def test_calls_in_a_row_alternate_with_their_results(tmp_path: Path, how: str):
    child, plan = await talk(tmp_path, "sequential", how=how)

    roles = [turn["role"] for turn in child.messages]
    assert roles == ["user", "assistant", "tool", "assistant", "tool", "assistant"]
    calls = [call for turn in child.messages for call in turn.get("tool_calls", [])]
    assert [call["id"] for call in calls] == ["call_1", "call_2"]
    assert [call["function"]["name"] for call in calls] == plan.wanted


async def test_calls_at_once_have_a_result_each(tmp_path: Path):
    def two(plan: Any) -> str:
        calls = [{"name": name, "arguments": ARGUMENTS[name]} for name in plan.wanted]
        return json.dumps(calls)

    child, plan = await talk(tmp_path, "parallel", calls_0=two)

    assert len(set(plan.wanted)) == 2
    assert [turn.get("tool_call_id") for turn in child.messages[2:4]] == ["call_1", "call_2"]
    assert json.loads(child.messages[3]["content"]) == {"ok": "result_0_1"}


@pytest.mark.parametrize("how", ["json", "native"])
@pytest.mark.parametrize("kind", ["none", "missing"])
async def test_where_no_call_fits_the_assistant_speaks(tmp_path: Path, how: str, kind: str):
    child, _ = await talk(tmp_path, kind, how=how)

    assert [turn["role"] for turn in child.messages] == ["user", "assistant"]
    assert (child.state, child.fields["tools_wanted"]) == ("live", [])
    assert ("missing_argument" in child.fields) == (kind == "missing")


@pytest.mark.parametrize(("kind", "last"), [("multiple", 2), ("sequential", 4), ("none", 2)])
async def test_a_conversation_may_end_with_its_calls(tmp_path: Path, kind: str, last: int):
    child, _ = await talk(tmp_path, kind, end="calls")

    assert len(child.messages) == last
    assert ("tool_calls" in child.messages[-1]) == (kind != "none")


def one(name: str, arguments: Any) -> str:
    return json.dumps([{"name": name, "arguments": arguments}])


@pytest.mark.parametrize(
    ("kind", "step", "said", "code"),
    [
        ("multiple", "request", " ", "empty_request"),
        ("multiple", "request", Completion("Please", "length"), "cut_off_request"),
        ("multiple", "calls_0", "I call it.", "not_json"),
        ("multiple", "calls_0", '["clock"]', "bad_call"),
        ("multiple", "calls_0", one("clock", [1]), "bad_call"),
        ("multiple", "calls_0", one("clock", "{bad"), "not_json"),
        ("multiple", "calls_0", "[]", "no_call"),
        ("multiple", "calls_0", "", "empty_calls"),
        ("multiple", "calls_0", "<think>so", "unfinished_reasoning"),
        ("multiple", "calls_0", Completion("[", "length"), "cut_off_calls"),
        ("multiple", "calls_0", one("fly", {}), "unknown_tool"),
        ("multiple", "calls_0", lambda p: one(p.wanted[0], {"zz": 1, **ARGUMENTS[p.wanted[0]]}),
         "unknown_argument"),
        ("multiple", "calls_0", lambda p: one(other(p), ARGUMENTS[other(p)]), "wrong_tool"),
        ("multiple", "calls_0", lambda p: json.dumps([
            {"name": name, "arguments": ARGUMENTS[name]} for name in (p.wanted[0], other(p))
        ]), "too_many_calls"),
        ("parallel", "calls_0", lambda p: one(p.wanted[0], ARGUMENTS[p.wanted[0]]),
         "too_few_calls"),
        ("parallel", "calls_0", lambda p: json.dumps(
            [{"name": p.wanted[0], "arguments": ARGUMENTS[p.wanted[0]]}] * 2), "duplicate_call"),
        ("none", "calls_0", one("clock", {}), "call_not_wanted"),
        ("missing", "calls_0", one("clock", {}), "call_not_wanted"),
        ("multiple", "result_0_0", "It is warm.", "result_not_json"),
        ("multiple", "result_0_0", "", "empty_result"),
        ("multiple", "answer", "", "empty_answer"),
        ("multiple", "answer", Completion("It", "length"), "cut_off_answer"),
        ("multiple", "answer", '{"name": "clock", "arguments": {}}', "call_in_words"),
        ("none", "answer", "<tool_call>clock()", "call_in_words"),
    ],
)  # fmt: skip
async def test_what_is_wrong_is_a_drop_with_its_reason_and_the_raw_reply(
    tmp_path: Path, kind: str, step: str, said: Any, code: str
):
    child, plan = await talk(tmp_path, kind, **{step: said})

    said = said(plan) if callable(said) else said
    assert (child.state, reason(child)) == ("dropped", code)
    assert child.fields["raw_reply"] == (said if isinstance(said, str) else said.text)


def other(plan: Any) -> str:
    return next(tool.name for tool in plan.shown if tool.name not in plan.wanted)


@pytest.mark.parametrize(
    ("arguments", "code", "place"),
    [
        ({"amount": 5}, "missing_argument", "'to' is a required property at $"),
        ({"amount": "5", "to": "EUR"}, "invalid_arguments", "at $.amount"),
        ({"amount": -5, "to": "EUR"}, "invalid_arguments", "at $.amount"),
    ],
)
async def test_arguments_must_meet_the_schema(
    tmp_path: Path, arguments: Any, code: str, place: str
):
    record = Record.seed({"tools": [TOOLS[2].spec]})
    script = scripted({0: "convert"}, native=False, calls_0=one("convert", arguments))

    (child,) = await talks(tmp_path, ToolCalls(engine="a", kinds=("single",)), script, record)

    assert reason(child) == code
    assert child.dropped is not None
    assert child.dropped.reason.endswith(place)


@pytest.mark.parametrize(
    ("step", "kind", "said", "code"),
    [
        ("answer", "multiple", natively({"name": "clock", "arguments": {}}), "call_not_wanted"),
        ("answer", "none", natively({"name": "clock", "arguments": {}}), "call_not_wanted"),
        ("calls_0", "multiple", "It is warm.", "no_call"),
        ("calls_0", "multiple", Completion("", "length"), "cut_off_calls"),
        ("calls_0", "multiple", Completion("", tool_calls=({"id": "x"},)), "bad_call"),
    ],
)
async def test_native_calls_that_are_wrong_are_drops(
    tmp_path: Path, step: str, kind: str, said: Any, code: str
):
    child, _ = await talk(tmp_path, kind, how="native", **{step: said})

    assert reason(child) == code


async def test_the_server_is_given_the_tools_only_natively(tmp_path: Path):
    seen: list[int] = []

    def script(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        seen.append(len(sampling.tools))
        return "Certainly."

    await talks(tmp_path, stage(kinds=["none"], how="native", shown=[3, 3]), script)

    assert seen == [0, 3]


async def test_a_failed_call_drops_its_conversation_alone(tmp_path: Path):
    def script(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        if origin.sample == 1:
            raise CallFailed("bad_request: refused")
        return "[]" if origin.step == "calls_0" else "Certainly."

    children = await talks(tmp_path, stage(kinds=["none"], n=2), script)

    assert [child.state for child in children] == ["live", "dropped"]
    assert reason(children[1]) == "bad_request"


async def test_no_pace_of_replies_changes_a_record(tmp_path: Path):
    async def paced(seed: int) -> list[Record]:
        rng = Random(seed)

        async def script(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
            await asyncio.sleep(rng.random() * 0.005)
            if origin.step == "request":
                return "Convert it. WANTS convert, convert"
            if origin.step == "calls_0":
                return json.dumps(good_calls(prompt, origin.step))
            return json.dumps(f"{origin.step} {origin.sample}")

        folder = tmp_path / str(seed)
        folder.mkdir()
        record = Record.seed({"tools": [TOOLS[2].spec]})
        made = ToolCalls(engine="a", kinds=("parallel", "single"), n=6)
        return await talks(folder, made, script, record)

    first, second = await paced(1), await paced(2)

    assert first == second
    assert {child.state for child in first} == {"live", "dropped"}


# Draws


def test_kinds_are_drawn_evenly():
    rng = Random(7)
    counts = Counter(drawn_kind(KINDS, rng) for _ in range(6000))

    # Chi-square of 5 degrees of freedom: 15.09 at p = 0.01.
    assert sum((counts[kind] - 1000) ** 2 / 1000 for kind in KINDS) < 15.09


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_wanted_is_shown_unless_nothing_fits(kind: Any):
    for seed in range(300):
        plan = drawn_plan(kind, TOOLS, Random(seed), shown=(2, 4), calls=3)
        names = [tool.name for tool in plan.shown]

        assert len(set(names)) == len(names)
        assert {*plan.wanted, *([plan.about] if plan.about else [])} <= {*names}
        assert len(names) == 1 if kind == "single" else 2 <= len(names) <= 4
        assert (plan.hidden is not None) == (kind == "none")
        assert plan.hidden not in plan.shown


# Specifications


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ([], "at least one tool"),
        ([3], "tool 1 is 3"),
        ({"name": "a b"}, "tool 1 has the name 'a b'"),
        ({"name": "ok\n"}, "has the name"),
        ([{"name": "a"}, {"name": "a"}], "'a' 2 times"),
        ({"name": "a", "description": 3}, "'a' has the description 3"),
        ({"name": "a", "parameters": {"place": {"type": "str"}}}, "`type: object`"),
        ({"name": "a", "parameters": {"type": "object", "properties": {"p": {"type": "str"}}}},
         r"'a': `parameters` is no JSON Schema: .* at \$\.properties\.p\.type"),
        ({"name": "a", "parameters": {"type": "object", "$ref": "#/$defs/none"}}, "refers to"),
        ({"name": "a", "parameters": {"type": "object", "$ref": "http://x.invalid/s"}},
         "refers to"),
        ("{bad", "line 1"),
    ],
)  # fmt: skip
def test_a_tool_that_cannot_be_right_is_refused_by_name(spec: Any, said: str):
    with pytest.raises(ValueError, match=said):
        tools_in(spec)


def test_a_recipe_with_garbage_for_tools_is_refused(tmp_path: Path):
    (tmp_path / "t.jsonl").write_text('{"name": "a"}\n{oops\n')

    with pytest.raises(ValueError, match=r"'t.jsonl', line 2"):
        validated(ToolCalls, {"engine": "a", "tools": "t.jsonl"}, folder=tmp_path)


def test_kinds_that_the_tools_cannot_serve_are_refused(tmp_path: Path):
    (tmp_path / "t.json").write_text('[{"name": "a"}]')

    with pytest.raises(ValueError, match="too_few_tools"):
        validated(ToolCalls, {"engine": "a", "tools": "t.json"}, folder=tmp_path)


async def test_a_record_with_garbage_for_tools_is_a_drop(tmp_path: Path):
    record = Record.seed({"tools": [3]})
    async with services(tmp_path, label="tools") as given:
        (dropped,) = await ToolCalls(engine="a").apply(record, given)

    assert reason(dropped) == "bad_tools"


def test_a_record_without_tools_lacks_them():
    assert "`tools`" in ToolCalls(engine="a").lacks(Record.seed({"n": 1}))
    assert not stage().lacks(Record.seed({"n": 1}))
