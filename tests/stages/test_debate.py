"""Who sees what in a debate, round by round, and which children come of it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Completion, Engine, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed, EngineDown
from synth.record import Message, Record
from synth.stages.debate import SHIPPED, Debate
from tests.running import question, saying
from tests.stages.debating import NAMES, answering, debate, debated, ended, reasons, script


def told(number: int, agent: int) -> str:
    return f"Words of round {number} by {NAMES[agent]}.\nAnswer: {agent}"


ROUNDS = {f"round_{number}": [told(number, agent) for agent in range(3)] for number in (1, 2, 3)}
Asked = dict[tuple[str, int], tuple[Message, ...]]


def shown(messages: tuple[Message, ...], role: str) -> set[tuple[int, int]]:
    """Return which replies, as (round, specialist), occur in the turns of a role."""
    text = "\n".join(message["content"] for message in messages if message["role"] == role)
    return {(n, agent) for n in (1, 2, 3) for agent in range(3) if told(n, agent) in text}


# Who sees what


async def test_a_specialist_sees_the_others_round_before_and_its_own_words(tmp_path: Path):
    asked: Asked = {}

    await debated(tmp_path, debate(rounds=3), script(ROUNDS, asked=asked))

    assert len(asked) == 9
    for (step, agent), messages in asked.items():
        number = int(step.removeprefix("round_"))
        (*before, now) = messages
        heard = {(number - 1, other) for other in range(3) if other != agent and number > 1}
        assert shown((now,), "user") == heard
        assert shown(tuple(before), "assistant") == {(n, agent) for n in range(1, number)}
        assert shown(messages, "system") == set()
        assert [message["role"] for message in messages] == ["user", "assistant"] * (number - 1) + [
            "user"
        ]


async def test_the_first_round_is_the_question_alone(tmp_path: Path):
    asked: Asked = {}

    await debated(tmp_path, debate(), script(ROUNDS, asked=asked), question("How many are left?"))

    for agent in range(3):
        (asking,) = asked["round_1", agent]
        assert asking["content"].startswith("How many are left?\n")
        assert 'End with one line "Answer: "' in asking["content"]


async def test_each_specialist_has_its_system_prompt_and_its_engine(tmp_path: Path):
    calls: dict[str, list[str]] = {"one": [], "two": []}

    def engine(name: str) -> Engine:
        def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
            calls[name].append(f"{origin.step} {origin.sample} {sampling.temperature}")
            systems[origin.sample] = prompt.canonical()
            return "Answer: 1"

        return ScriptedEngine(reply)

    systems: dict[int, str] = {}
    stage = Debate.model_validate(
        {
            "engine": "one",
            "specialists": [
                {"name": "solver"},
                {"name": "nurse", "system": "You are a nurse.", "engine": "two"},
                {"name": "plain", "system": "", "sampling": {"temperature": 0.2}},
            ],
        }
    )
    await debated(tmp_path, stage, {name: engine(name) for name in calls})

    assert stage.engines() == ("one", "two")
    assert sorted(calls["one"]) == [
        "round_1 0 1.0",
        "round_1 2 0.2",
        "round_2 0 1.0",
        "round_2 2 0.2",
    ]
    assert sorted(calls["two"]) == ["round_1 1 1.0", "round_2 1 1.0"]
    assert "step by step" in systems[0]
    assert "You are a nurse." in systems[1]
    assert "system" not in systems[2]


async def test_the_records_own_system_turn_and_talk_stay_before_the_question(tmp_path: Path):
    asked: Asked = {}
    turns = [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello."), ("user", "Why?")]
    old = Message(role="assistant", content="An old reply.")
    record = Record.seed({}, [*(Message(role=role, content=text) for role, text in turns), old])
    those = [{"name": name, "system": f"You are {name}."} for name in NAMES[:3]]

    chosen, *_ = await debated(
        tmp_path, debate(specialists=those), script(ROUNDS, asked=asked), record
    )

    first, *middle, last = asked["round_1", 1]
    assert first["content"] == "Be brief.\n\nYou are bob."
    assert [message["content"] for message in middle] == ["Hi", "Hello."]
    assert last["content"].startswith("Why?\n")
    assert chosen.messages == record.messages[:-1]


async def test_thinking_is_shown_to_nobody_and_stays_with_the_reply(tmp_path: Path):
    asked: Asked = {}
    replies = {
        step: ["<think>Secret.</think>Answer: 1", Completion("Answer: 1", reasoning="Secret."), "x"]
        for step in ("round_1", "round_2")
    }

    (chosen, wrong) = await debated(tmp_path, debate(), script(replies, asked=asked))

    assert not any("Secret" in message["content"] for turns in asked.values() for message in turns)
    assert chosen.messages[-1] == Message(
        role="assistant", content="Answer: 1", reasoning="Secret."
    )
    assert "Secret" not in str(chosen.fields["debate"])
    assert reasons([wrong]) == ["no_answer"]


NOTHING = [
    CallFailed("bad_request: refused"),
    "",
    "<think>Hm",
    Completion("Half of Answer: 0", "length"),
]


@pytest.mark.parametrize("first", NOTHING, ids=["failed", "empty", "unfinished", "cut off"])
async def test_what_is_no_whole_reply_is_shown_to_nobody(tmp_path: Path, first: Any):
    asked: Asked = {}
    rounds = {**ROUNDS, "round_1": [first, told(1, 1), told(1, 2)]}

    await debated(tmp_path, debate(rounds=3), script(rounds, asked=asked))

    assert shown(asked["round_2", 1], "user") == {(1, 2)}
    assert asked["round_2", 1][-1]["content"].count("<reply>") == 1
    # Who said nothing is asked the question together with what the others said, in one turn.
    (joined,) = asked["round_2", 0]
    assert joined["content"].startswith("How many?\n")
    assert shown((joined,), "user") == {(1, 1), (1, 2)}
    assert [message["role"] for message in asked["round_3", 0]] == ["user", "assistant", "user"]


async def test_who_fails_twice_still_sees_the_round_before_alone(tmp_path: Path):
    asked: Asked = {}
    rounds = {step: ["", *said[1:]] for step, said in ROUNDS.items()}

    await debated(tmp_path, debate(rounds=3), script(rounds, asked=asked))

    (joined,) = asked["round_3", 0]
    assert shown((joined,), "user") == {(2, 1), (2, 2)}


async def test_where_nobody_else_spoke_a_specialist_checks_itself(tmp_path: Path):
    asked: Asked = {}
    rounds = {"round_1": [told(1, 0), "", ""], "round_2": ROUNDS["round_2"]}

    await debated(tmp_path, debate(), script(rounds, asked=asked))

    assert "Go through your reasoning once more" in asked["round_2", 0][-1]["content"]
    assert asked["round_2", 1][-1]["content"].count("<reply>") == 1


async def test_all_of_a_round_are_asked_at_once(tmp_path: Path):
    together = asyncio.Barrier(3)

    async def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        async with asyncio.timeout(5):
            await together.wait()
        return told(1, origin.sample)

    (nobody,) = await debated(tmp_path, debate(rounds=3), ScriptedEngine(reply))

    assert nobody.fields["rounds"] == 3


async def test_who_answers_first_makes_no_difference(tmp_path: Path):
    def paced(slowest: int) -> ScriptedEngine:
        async def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
            await asyncio.sleep(0.02 if origin.sample == slowest else 0)
            return f"{prompt.canonical().count('<reply>')} seen.\nAnswer: {origin.sample // 2}"

        return ScriptedEngine(reply)

    for name in ("first", "last"):
        (tmp_path / name).mkdir()
    one = await debated(tmp_path / "first", debate(pairs=True, rounds=3), paced(0))
    other = await debated(tmp_path / "last", debate(pairs=True, rounds=3), paced(2))

    assert one == other
    assert [child.fields["side"] for child in one] == ["majority", "minority"]


async def test_an_outage_is_no_drop(tmp_path: Path):
    with pytest.raises(BaseExceptionGroup) as raised:
        await ended(tmp_path, debate(), *[EngineDown("nobody answers")] * 3)

    assert raised.value.subgroup(EngineDown)


# Children


async def test_the_chosen_reply_is_joined_to_the_question(tmp_path: Path):
    record = Record.seed({"question": "How many?", "answer": "4"})

    (child,) = await debated(
        tmp_path, debate(), script({**ROUNDS, "round_2": answering(5, 7, "7.0")}), record
    )

    assert child.messages == (
        Message(role="user", content="How many?"),
        Message(role="assistant", content="I am bob.\nAnswer: 7"),
    )
    assert (child.position, child.state) == ((0, 1), "live")
    assert {name: value for name, value in child.fields.items() if name != "debate"} == {
        "question": "How many?",
        "answer": "4",
        "specialist": "bob",
        "rounds": 2,
        "final_answer": "7",
        "agreement": pytest.approx(2 / 3),
        "votes": {"5": ["ann"], "7": ["bob", "cem"]},
        "side": "majority",
    }


async def test_the_debate_can_be_read_on_the_chosen_child(tmp_path: Path):
    rounds = {"round_1": ["", *ROUNDS["round_1"][1:]], "round_2": answering(1, 1, 1)}

    (child,) = await debated(tmp_path, debate(), script(rounds))

    first, second = child.fields["debate"]
    assert first[0] == {"specialist": "ann", "wrong": "empty_reply: the model returned no text"}
    assert first[1] == {"specialist": "bob", "text": told(1, 1), "answer": "1"}
    assert [one["text"] for one in second] == answering(1, 1, 1)


async def test_the_debate_can_be_left_out(tmp_path: Path):
    (child,) = await ended(tmp_path, debate(transcript=False), *answering(1, 1, 1))

    assert "debate" not in child.fields


async def test_pairs_bring_the_minority_with_the_same_prompt(tmp_path: Path):
    children = await ended(tmp_path, debate(4, pairs=True), *answering(9, 7, 7, 8))

    assert [child.fields["specialist"] for child in children] == ["ann", "bob", "dua"]
    assert [child.fields["side"] for child in children] == ["minority", "majority", "minority"]
    assert [child.fields["final_answer"] for child in children] == ["9", "7", "8"]
    assert [child.messages[:-1] for child in children] == [question("How many?").messages] * 3
    assert [child.position for child in children] == [(0, 0), (0, 1), (0, 3)]
    assert ["debate" in child.fields for child in children] == [False, True, False]


async def test_all_of_the_majority_may_be_kept(tmp_path: Path):
    children = await ended(tmp_path, debate(keep="majority"), *answering(9, 7, 7))

    assert [child.fields["specialist"] for child in children] == ["bob", "cem"]
    assert [child.fields["side"] for child in children] == ["majority", "majority"]
    assert [child.state for child in children] == ["live", "live"]


async def test_who_has_no_readable_answer_is_a_drop_and_no_minority(tmp_path: Path):
    last = ["I cannot say.", "Answer: 7", "Answer: 7.", CallFailed("bad_request: refused"), ""]

    children = await ended(tmp_path, debate(5, pairs=True), *last)

    assert reasons(children) == ["no_answer", "live", "bad_request", "empty_reply"]
    assert [child.dropped.kind for child in children if child.dropped] == [
        "filter",
        "error",
        "filter",
    ]
    assert children[0].fields["raw_reply"] == "I cannot say."
    assert all("side" not in child.fields for child in children if child.dropped)
    assert children[1].fields["agreement"] == 1.0


async def test_a_record_that_asks_nothing_is_an_error_of_its_own(tmp_path: Path):
    with pytest.raises(ValueError, match=r"^nothing_to_debate: "):
        await debated(tmp_path, debate(), saying("Answer: 1"), Record.seed({"n": 1}))


# Options


def test_three_specialists_come_with_the_stage():
    stage = Debate(engine="e")

    assert tuple(one.name for one in stage.specialists) == SHIPPED
    assert stage.prompts_used() == {*SHIPPED, "question_prompt", "debate_prompt"}
    assert Debate(engine="e", rounds=1, judge_engine="j").prompts_used() == {
        *SHIPPED,
        "question_prompt",
        "judge_prompt",
    }


def test_a_specialists_own_file_is_a_prompt_of_the_recipe():
    those = [{"name": "nurse", "prompt": "nurse.jinja"}, {"name": "solver"}]

    stage = debate(specialists=those, judge_prompt="judge.jinja")

    assert stage.prompt_files() == {"judge_prompt": "judge.jinja", "nurse": "nurse.jinja"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"specialists": [{"name": "solver"}]}, "at least 2 items"),
        ({"specialists": [{"name": "solver"}, {"name": "solver"}]}, "two specialists"),
        ({"specialists": [{"name": "solver"}, {"name": "cheker"}]}, "Did you mean 'checker'"),
        (
            {"specialists": [{"name": "judge_prompt", "system": ""}, {"name": "solver"}]},
            "cannot be called",
        ),
        (
            {"specialists": [{"name": "a", "system": "", "prompt": "a.jinja"}, {"name": "solver"}]},
            "one of the two",
        ),
        ({"engine": None}, "no engine"),
        ({"consensus": "judge"}, "wants `judge_engine`"),
        ({"mode": "reference", "judge_engine": "e"}, "first answer wins"),
        ({"answers": "none"}, "want `answers`"),
        (
            {"answers": "none", "consensus": "judge", "judge_engine": "e", "pairs": True},
            "want `answers`",
        ),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], said: str):
    with pytest.raises(ValueError, match=said):
        Debate.model_validate({"engine": "e", **options})
