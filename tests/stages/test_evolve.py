"""Instructions that get harder round after round, and replies that get better."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.engine.base import Chat, Completion, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.record import Message, Record
from synth.stages.evolve import Evolve
from tests.running import question, saying, services
from tests.stages.evolving import GOOD, answered, evolve, script, states


async def test_each_round_rewrites_what_the_one_before_made(tmp_path: Path):
    asked: list[str] = []

    def rewrite(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        kind, _, number = origin.step.partition(" ")
        if kind == "evolve":
            asked.append(prompt.messages[-1]["content"])
            return f"harder {number}"
        return GOOD[kind]

    records = await evolve(tmp_path, ScriptedEngine(rewrite), rounds=3)

    assert [record.instruction for record in records[1:]] == ["harder 1", "harder 2", "harder 3"]
    assert ["Why is the sky blue?" in asked[0], "harder 1" in asked[1], "harder 2" in asked[2]] == [
        True
    ] * 3


async def test_an_evolution_carries_its_operator_its_round_and_a_reply(tmp_path: Path):
    records = await evolve(tmp_path, script(), operators="deepen", rounds=2)

    assert [record.fields for record in records[1:]] == [
        {"operator": "deepen", "round": 1},
        {"operator": "deepen", "round": 2},
    ]
    assert records[1].messages == (
        {"role": "user", "content": "Why is the sky blue, step by step? (1)"},
        {"role": "assistant", "content": "Light scatters."},
    )


async def test_an_evolution_names_what_it_was_made_from(tmp_path: Path):
    seed, first, second = await evolve(tmp_path, script(), rounds=2)

    assert first.parents == (seed.id,)
    assert second.parents == (seed.id, first.id)
    assert second.family == seed.id
    assert [first.position, second.position] == [(0, 1), (0, 2)]


async def test_all_go_on_by_default_the_record_itself_included(tmp_path: Path):
    records = await evolve(tmp_path, script(), rounds=3)

    assert states(records) == ["live"] * 4


async def test_only_the_last_goes_on_where_the_recipe_says_so(tmp_path: Path):
    records = await evolve(tmp_path, script(), rounds=3, keep="last")

    assert states(records) == ["parent", "parent", "parent", "live"]
    assert records[-1].fields["round"] == 3


async def test_the_last_is_the_last_that_was_good(tmp_path: Path):
    engine = script(judge=lambda number: "Equal" if number == 3 else "Not equal")

    records = await evolve(tmp_path, engine, rounds=3, keep="last")

    assert states(records) == ["parent", "parent", "live", "dropped"]


async def test_a_record_that_nobody_could_evolve_goes_on_as_it_is(tmp_path: Path):
    records = await evolve(tmp_path, script(judge="Equal"), rounds=2, keep="last")

    assert states(records) == ["live", "dropped", "dropped"]
    assert records[0] == question()


async def test_what_was_eliminated_goes_back_unchanged_and_is_tried_again(tmp_path: Path):
    asked: list[str] = []

    def rewrite(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        if origin.step.startswith("evolve"):
            asked.append(prompt.messages[-1]["content"])
            return f"harder {origin.step[-1]}"
        if origin.step.startswith("judge"):
            return "Equal" if origin.step == "judge 2" else "Not equal"
        return "Light scatters."

    records = await evolve(tmp_path, ScriptedEngine(rewrite), rounds=3, operators="deepen")

    assert states(records) == ["live", "live", "dropped", "live"]
    assert asked[1] == asked[2]
    assert records[3].parents == (records[0].id, records[1].id)


async def test_a_reply_that_was_cut_off_stays_and_says_so(tmp_path: Path):
    _, evolved = await evolve(tmp_path, script(reply=Completion("Light sc", "length")))

    assert evolved.state == "live"
    assert evolved.fields["finish_reason"] == "length"


@pytest.mark.parametrize("operators", ["wizardlm", "quality"])
async def test_a_whole_reply_in_place_of_a_cut_one_says_so(tmp_path: Path, operators: str):
    record = Record.seed({"finish_reason": "length"}, answered().messages)

    _, evolved = await evolve(tmp_path, script(), record, operators=operators, rounds=1)

    assert (evolved.state, evolved.fields["finish_reason"]) == ("live", "stop")


async def test_earlier_turns_of_a_conversation_stay(tmp_path: Path):
    turns = [("system", "Be kind."), ("user", "Hi"), ("assistant", "Hello"), ("user", "Why?")]
    record = Record.seed({}, [Message(role=role, content=said) for role, said in turns])

    _, evolved = await evolve(tmp_path, script(evolve="Why, exactly?"), record)

    assert [turn["content"] for turn in evolved.messages] == [
        "Be kind.",
        "Hi",
        "Hello",
        "Why, exactly?",
        "Light scatters.",
    ]


async def test_an_old_reply_does_not_stay_with_the_evolved_instruction(tmp_path: Path):
    _, evolved = await evolve(tmp_path, script(evolve="Why, exactly?"), answered(), reply=False)

    assert evolved.messages == ({"role": "user", "content": "Why, exactly?"},)


async def test_replies_are_evolved_by_operators_of_quality(tmp_path: Path):
    engine = script(evolve=lambda number: f"Light scatters, {number}.")

    records = await evolve(tmp_path, engine, answered(), operators="quality", rounds=2)

    assert [record.reply for record in records] == [
        "So.",
        "Light scatters, 1.",
        "Light scatters, 2.",
    ]
    assert {record.instruction for record in records} == {"Why?"}
    assert engine.calls == 4


async def test_a_record_without_anything_to_evolve_is_an_error_of_its_own(tmp_path: Path):
    with pytest.raises(ValueError, match=r"^nothing_to_evolve: the record has no reply"):
        await evolve(tmp_path, script(), question(), operators="quality")


async def test_a_reply_that_calls_tools_is_refused(tmp_path: Path):
    call = {"id": "1", "function": {"name": "look", "arguments": "{}"}}
    said = Message(role="assistant", content="I look.", tool_calls=[call])
    record = Record.seed({}, [Message(role="user", content="Why?"), said])

    with pytest.raises(ValueError, match=r"^nothing_to_evolve: the reply calls tools"):
        await evolve(tmp_path, script(), record, operators="quality")


async def test_each_part_asks_the_engine_that_the_recipe_names(tmp_path: Path):
    stage = Evolve(engine="small", reply_engine="large", judge_engine="strict", rounds=1)
    spoken = {
        "small": saying("Why, exactly?"),
        "large": saying("Light scatters."),
        "strict": saying("Not equal"),
    }
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}

    async with services(tmp_path, engines=spoken, prompts=prompts) as given:
        records = await stage.apply(question(), given)

    assert stage.engines() == ("small", "large", "strict")
    assert [engine.calls for engine in spoken.values()] == [1, 1, 1]
    assert records[1].reply == "Light scatters."


async def test_running_again_asks_nothing_and_gives_the_same(tmp_path: Path):
    first = await evolve(tmp_path, script(), rounds=4)
    engine = script()

    again = await evolve(tmp_path, engine, rounds=4)

    assert engine.calls == 0
    assert again == first


def test_the_paper_and_the_released_code_differ_in_their_defaults():
    paper, reference = Evolve(engine="x"), Evolve(engine="x", mode="reference")

    assert (len(paper.operators), paper.rounds, paper.sampling.top_p) == (6, 4, 0.9)
    assert (len(reference.operators), reference.rounds, reference.sampling.top_p) == (5, 1, 0.95)
    assert set(paper.operators) - set(reference.operators) == {"complicate_input"}
    assert paper.eliminate.no_information_gain
    assert not reference.eliminate.unfit("Sorry")


def test_what_a_recipe_spells_out_counts_in_reference_mode_too():
    stage = Evolve.model_validate(
        {"engine": "x", "mode": "reference", "rounds": 2, "eliminate": {"prompt_leak": True}}
    )

    assert stage.rounds == 2
    assert stage.eliminate.prompt_leak
    assert not stage.eliminate.no_content


@pytest.mark.parametrize(
    ("operators", "rounds"),
    [("wizardlm", 4), ("wizardcoder", 3), ("wizardmath", 8), ("quality", 5), ("deepen", 4)],
)
def test_each_family_goes_as_many_rounds_as_published(operators: str, rounds: int):
    assert Evolve.model_validate({"engine": "x", "operators": operators}).rounds == rounds


async def test_thinking_enters_neither_the_instruction_nor_the_reply(tmp_path: Path):
    engine = script(
        evolve="<think>Harder, then.</think>Why, exactly?",
        judge="<think>Equal? Hardly.</think>Not equal",
        reply="<think>Air scatters.</think>Light scatters.",
    )

    _, evolved = await evolve(tmp_path, engine)

    assert evolved.messages == (
        {"role": "user", "content": "Why, exactly?"},
        {"role": "assistant", "content": "Light scatters.", "reasoning": "Air scatters."},
    )
