"""Conversations that models have with themselves: two roles in turns, or one call for all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from synth.engine.base import Chat, Completion, Engine, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed
from synth.record import Message, Record
from synth.stages.dialogue import Dialogue
from synth.stages.parts.dialogue_roles import (
    drawn,
    exchanges,
    own_words,
    speaks_like_an_assistant,
    without_politeness,
)
from synth.stages.parts.replies import MalformedError
from tests.running import not_for_ever, question, saying, services

NURSE = "a night nurse who wants to sleep by day"
GOOD = "[Human] Why?\n[AI] Because.\n[Human] How?\n[AI] Thus."


async def talk(folder: Path, stage: Dialogue, record: Record, **engines: Engine) -> list[Record]:
    prompts = Dialogue.default_prompts
    async with services(folder, label="talk", engines=engines, prompts=prompts) as given:
        return list(await stage.apply(record, given))


def reason(record: Record) -> str:
    assert record.dropped is not None
    return record.dropped.reason.split(":")[0]


def steps(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    return f"said in {origin.step}"


# Two roles in turns


@pytest.mark.parametrize("turns", [2, 8])
async def test_roles_alternate_and_the_assistant_ends(tmp_path: Path, turns: int):
    stage = Dialogue(engine="a", turns=turns)

    (child,) = await talk(tmp_path, stage, question("Why?"), a=ScriptedEngine(steps))

    assert [turn["role"] for turn in child.messages] == ["user", "assistant"] * turns
    assert child.messages[0]["content"] == "Why?"
    assert child.reply == f"said in assistant_{turns - 1}"
    assert (child.state, child.fields["turns"]) == ("live", turns)


async def test_only_the_users_side_sees_persona_and_goal(tmp_path: Path):
    seen: dict[str, list[str]] = {"user": [], "assistant": []}

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        seen[origin.step.split("_")[0]].append(prompt.canonical())
        return f"said in {origin.step}"

    stage = Dialogue(engine="a", user_engine="u", turns=3, personas=(NURSE,), goals=("to rest",))
    engine = ScriptedEngine(reply)
    (child,) = await talk(tmp_path, stage, question(), a=engine, u=engine)

    assert [len(seen["user"]), len(seen["assistant"])] == [2, 3]
    assert all(NURSE in prompt and "to rest" in prompt for prompt in seen["user"])
    assert not any(NURSE in prompt or "to rest" in prompt for prompt in seen["assistant"])
    assert (child.fields["persona"], child.fields["goal"]) == (NURSE, "to rest")


async def test_the_users_side_sees_the_conversation_from_its_own_place(tmp_path: Path):
    seen: list[Message] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        if origin.step == "user_1":
            assert isinstance(prompt, Chat)
            seen.extend(prompt.messages)
        return f"said in {origin.step}"

    record = Record.seed({}, [Message(role="system", content="Rhyme."), *question("Why?").messages])
    (child,) = await talk(tmp_path, Dialogue(engine="a", turns=2), record, a=ScriptedEngine(reply))

    assert [turn["role"] for turn in seen] == ["system", "user", "assistant", "user"]
    assert [turn["content"] for turn in seen[2:]] == ["Why?", "said in assistant_0"]
    assert "Rhyme." not in seen[0]["content"]
    assert child.messages[0] == {"role": "system", "content": "Rhyme."}


async def test_the_users_side_may_open(tmp_path: Path):
    stage = Dialogue(engine="a", turns=2, opening="user")

    (child,) = await talk(tmp_path, stage, question("Why?"), a=ScriptedEngine(steps))

    assert child.messages[0]["content"] == "said in user_0"


async def test_a_records_own_persona_and_goal_come_first(tmp_path: Path):
    stage = Dialogue(engine="a", turns=2, personas=("a cook",), goals=("to eat",))
    record = Record.seed({"persona": "a judge", "goal": "to rest"})

    (child,) = await talk(tmp_path, stage, record, a=ScriptedEngine(steps))

    assert (child.fields["persona"], child.fields["goal"]) == ("a judge", "to rest")
    assert child.messages[0]["content"] == "said in user_0"


async def test_personas_are_drawn_evenly_and_again_the_same(tmp_path: Path):
    stage = Dialogue(engine="a", how="transcript", n=600, personas=("x", "y", "z"))

    first = await talk(tmp_path, stage, question(), a=saying(GOOD))
    again = await talk(tmp_path, stage, question(), a=saying("never asked"))

    drawn = [child.fields["persona"] for child in first]
    assert all(150 <= drawn.count(persona) <= 250 for persona in "xyz")
    assert again == first


@pytest.mark.parametrize(
    ("step", "said", "code"),
    [
        ("user_1", "Assistant: Here it is.", "role_leak"),
        ("assistant_1", "[Human] And then?", "role_leak"),
        ("user_1", "How can I help you today?", "role_confusion"),
        ("user_1", "  \n", "empty_turn"),
        ("assistant_1", "AI:\nUser: More?", "empty_turn"),
        ("assistant_1", "<think>Let me", "unfinished_reasoning"),
        ("assistant_1", Completion("The sky", "length"), "cut_off"),
    ],
)
async def test_a_turn_that_is_none_drops_the_child_with_the_raw_reply(
    tmp_path: Path, step: str, said: str | Completion, code: str
):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str | Completion:
        return said if (origin.step, origin.sample) == (step, 1) else "fine"

    stage = Dialogue(engine="a", turns=3, n=2)
    whole, broken = await talk(tmp_path, stage, question(), a=ScriptedEngine(reply))

    assert whole.state == "live"
    assert (reason(broken), broken.state) == (code, "dropped")
    assert broken.fields["raw_reply"] == (said if isinstance(said, str) else said.text)
    assert len(broken.messages) == (2 if step == "user_1" else 3)


async def test_words_in_the_other_roles_name_are_cut_and_told(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        return "It scatters.\n\nUser: And at dusk?\nAssistant: Red."

    (child,) = await talk(
        tmp_path, Dialogue(engine="a", user_engine="u", turns=2), question(),
        a=ScriptedEngine(reply), u=saying("User: Go on.")
    )  # fmt: skip

    assert [turn["content"] for turn in child.messages[1:]] == [
        "It scatters.", "Go on.", "It scatters.",
    ]  # fmt: skip
    assert child.fields["cut_turns"] == [1, 3]


async def test_thoughts_stay_on_the_turn_and_are_not_shown_again(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert "private" not in prompt.canonical()
        return f"<think>private</think>{origin.step}"

    stage = Dialogue(engine="a", turns=2)
    (child,) = await talk(tmp_path, stage, question(), a=ScriptedEngine(reply))

    assert [turn.get("reasoning") for turn in child.messages] == [None, "private"] * 2


@pytest.mark.parametrize("how", ["alternate", "transcript"])
async def test_a_failed_call_drops_its_conversation_alone(tmp_path: Path, how: str):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        if origin.sample == 1:
            raise CallFailed("bad_request: refused")
        return GOOD if how == "transcript" else "fine"

    stage = Dialogue.model_validate({"engine": "a", "how": how, "n": 2})
    children = await talk(tmp_path, stage, question(), a=ScriptedEngine(reply))

    assert [child.state for child in children] == ["live", "dropped"]
    assert reason(children[1]) == "bad_request"


async def test_a_record_that_says_nothing_is_an_error_of_its_own(tmp_path: Path):
    with pytest.raises(ValueError, match=r"^nothing_to_ask: "):
        await talk(tmp_path, Dialogue(engine="a"), Record.seed({"n": 1}), a=saying("Hi."))


@pytest.mark.parametrize("turns", [1, 9])
def test_two_to_eight_exchanges_are_wanted(turns: int):
    with pytest.raises(ValueError, match="turns"):
        Dialogue(engine="a", turns=turns)


# One call for all


@pytest.mark.parametrize(("mode", "turns"), [("paper", 2), ("reference", 1)])
async def test_the_reference_loses_a_good_last_exchange(tmp_path: Path, mode: str, turns: int):
    stage = Dialogue.model_validate({"engine": "a", "how": "transcript", "mode": mode})

    (child,) = await talk(tmp_path, stage, question(), a=saying(GOOD))

    assert [turn["role"] for turn in child.messages] == ["user", "assistant"] * turns
    assert child.fields["turns"] == turns


async def test_the_paper_loses_a_last_exchange_that_was_cut_off(tmp_path: Path):
    stage = Dialogue(engine="a", how="transcript")

    (child,) = await talk(tmp_path, stage, question(), a=saying(Completion(GOOD, "length")))

    assert child.reply == "Because."


@pytest.mark.parametrize("keep_last", [True, False])
@pytest.mark.parametrize("third", ["c", "c [AI] 3 [AI] 4", "[AI] 3", "c [AI] "])
def test_a_malformed_third_turn_leaves_exactly_two(third: str, keep_last: bool):
    text = f"Sure!\n[Human] a [AI] 1\n[Human] b [AI] 2\n[Human] {third}\n[Human] d [AI] 4\n[Human]"

    found = exchanges(text, keep_last=keep_last)

    assert found == [("a", "1"), ("b", "2")]


def test_a_last_question_without_an_answer_is_lost_in_both_modes():
    text = GOOD + "\n[Human] Thanks!"

    assert exchanges(text) == exchanges(text, keep_last=False)
    assert len(exchanges(text)) == 2


async def test_no_more_than_the_wanted_turns_of_a_transcript_are_kept(tmp_path: Path):
    stage = Dialogue(engine="a", how="transcript", turns=2)

    (child,) = await talk(tmp_path, stage, question(), a=saying(GOOD + "\n[Human] c [AI] 3"))

    assert child.reply == "Thus."


@pytest.mark.parametrize("said", ["", "I cannot do that.", "[Human] Why?", "<think>[Human] a [AI]"])
async def test_a_transcript_without_an_exchange_is_a_drop(tmp_path: Path, said: str):
    stage = Dialogue(engine="a", how="transcript")

    (child,) = await talk(tmp_path, stage, question(), a=saying(said))

    assert reason(child) == "no_dialogue"
    assert child.fields["raw_reply"] == said
    assert child.messages == ()


async def test_a_transcript_that_is_too_short_is_a_drop(tmp_path: Path):
    stage = Dialogue(engine="a", how="transcript", least_turns=3)

    (child,) = await talk(tmp_path, stage, question(), a=saying(GOOD))

    assert reason(child) == "no_dialogue"


@pytest.mark.parametrize(("mode", "turns"), [("paper", 1), ("reference", 2)])
async def test_other_tags_within_a_transcript_end_it(tmp_path: Path, mode: str, turns: int):
    text = "[Human] a\n[AI] 1\nUser: more\n[Human] b\n[AI] 2\n[Human] c\n[AI] 3"
    stage = Dialogue.model_validate({"engine": "a", "how": "transcript", "mode": mode})

    (child,) = await talk(tmp_path, stage, question(), a=saying(text))

    assert child.fields["turns"] == turns
    assert child.fields.get("cut_turns") == ([1] if mode == "paper" else None)


# Roles


def test_tags_in_fenced_code_are_no_tags():
    code = "Write this:\n```yaml\nuser: root\n```\nDone."

    assert own_words(code, "assistant") == (code, False)


@pytest.mark.parametrize(
    "tag", ["[AI]", "Assistant:", "### Assistant:", "**AI:**", "<|im_start|>assistant\n", "ai: "]
)
def test_a_tag_of_its_own_role_is_taken_away(tag: str):
    assert own_words(f"{tag} Blue.", "assistant") == ("Blue.", False)
    with pytest.raises(MalformedError, match=r"^role_leak: "):
        own_words(f"{tag} Blue.", "user")


def test_long_white_space_and_many_fences_are_read_in_no_time():
    text = "a\n" + " " * 100_000 + "b\n" + "user:\n```\n```\n" * 30_000

    with not_for_ever():
        own, cut = own_words(text, "user")

        assert (own[0], cut) == ("a", True)
        assert without_politeness("Thanks!\n" * 100_000, "user") == ""


@pytest.mark.parametrize(
    "text",
    ["Act as an AI critic.", "As an AI, do you like it?", "May I help you with the list?"],
)
def test_a_user_may_speak_of_ai(text: str):
    assert not speaks_like_an_assistant(text)


@pytest.mark.parametrize(
    ("said", "rest"),
    [
        ("Thank you so much for the detailed explanation!", ""),
        ("Thanks, that helps a lot. How long does it last?", "How long does it last?"),
        ("Great, thank you! You're very kind. And at dusk?", "You're very kind. And at dusk?"),
        ("Thank you, I need it in French.", "Thank you, I need it in French."),
        ("Thanks for 3 hints, but is it true?", "Thanks for 3 hints, but is it true?"),
        ("Thanksgiving is when?", "Thanksgiving is when?"),
        ("How?", "How?"),
    ],
)
def test_of_politeness_what_says_nothing_is_taken_away(said: str, rest: str):
    assert without_politeness(said, "user") == rest


@pytest.mark.parametrize(
    ("said", "rest"),
    [
        ("You're welcome!\n\nAt dusk it is red.", "At dusk it is red."),
        ("You are most welcome. At dusk?", "At dusk?"),
        ("Thank you for the gift.\n\nYours, Ann", "Thank you for the gift.\n\nYours, Ann"),
        ("You're welcome to try it, but slowly.", "You're welcome to try it, but slowly."),
        ("You are welcome to call me. It is late.", "You are welcome to call me. It is late."),
    ],
)
def test_an_assistant_may_thank_where_that_is_what_was_asked_for(said: str, rest: str):
    assert without_politeness(said, "assistant") == rest


async def test_a_conversation_ends_before_a_user_who_only_thanks(tmp_path: Path):
    said = {"user_1": "Thanks! And at dusk?", "user_2": "Thank you very much!"}
    engine = ScriptedEngine(lambda _prompt, _sampling, origin: said.get(origin.step, "Blue."))

    (child,) = await talk(tmp_path, Dialogue(engine="a", turns=4), question("Why?"), a=engine)
    polite = Dialogue(engine="a", turns=4, politeness=True)
    (kept,) = await talk(tmp_path, polite, question("Why?"), a=engine)

    assert [turn["content"] for turn in child.messages] == [
        "Why?",
        "Blue.",
        "And at dusk?",
        "Blue.",
    ]
    assert (child.state, child.fields["turns"]) == ("live", 2)
    assert kept.messages[4]["content"] == "Thank you very much!"


async def test_a_user_who_thanks_before_enough_was_said_is_a_drop(tmp_path: Path):
    said = {"user_1": "Thank you!"}
    engine = ScriptedEngine(lambda _prompt, _sampling, origin: said.get(origin.step, "Blue."))
    stage = Dialogue(engine="a", least_turns=2)

    (child,) = await talk(tmp_path, stage, question("Why?"), a=engine)

    assert reason(child) == "no_dialogue"
    assert child.fields["raw_reply"] == "Thank you!"


@pytest.mark.parametrize("human", ["[Human]:", "**[Human]**", "[human]", "### [Human]:"])
async def test_marks_around_the_tags_of_a_transcript_are_no_words(tmp_path: Path, human: str):
    text = f"{human} Why?\n**[AI]:** Because.\n{human} How?\n[ai] Thus."
    stage = Dialogue(engine="a", how="transcript")

    (child,) = await talk(tmp_path, stage, question(), a=saying(text))

    assert [turn["content"] for turn in child.messages] == ["Why?", "Because.", "How?", "Thus."]


async def test_personas_and_goals_are_drawn_evenly(tmp_path: Path):
    names = [str(number) for number in range(6)]
    async with services(tmp_path) as given:
        rngs = [given.rng(question(), "persona", str(number)) for number in range(6000)]

    counts = Counter(drawn(names, rng) for rng in rngs)

    # Chi-square of 5 degrees of freedom: 15.09 at p = 0.01.
    assert sum((counts[name] - 1000) ** 2 / 1000 for name in names) < 15.09
