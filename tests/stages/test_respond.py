"""What becomes of a record when a model answers it, and of a reply that is no good."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.engine.base import Chat, Completion, Engine, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed, EngineDown
from synth.record import Message, Record
from synth.stages.respond import Respond
from tests.running import numbering, question, saying, services

GREETING = Message(role="user", content="Hello")


async def respond(
    folder: Path,
    engine: Engine,
    record: Record,
    *,
    stage: Respond | None = None,
    prompt: str = "",
    run_seed: int = 0,
) -> list[Record]:
    """Return what the stage `draft` makes of a record."""
    prompts = {"prompt": prompt} if prompt else {}
    async with services(
        folder, label="draft", engines={"teacher": engine}, prompts=prompts, run_seed=run_seed
    ) as given:
        return list(await (stage or Respond(engine="teacher")).apply(record, given))


def texts(children: list[Record]) -> list[str]:
    return [child.reply for child in children]


async def test_each_sample_is_a_call_with_a_seed_of_its_own(tmp_path: Path):
    seeds: list[int | None] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        seeds.append(sampling.seed)
        return f"answer {origin.sample}"

    children = await respond(
        tmp_path, ScriptedEngine(reply), question(), stage=Respond(engine="teacher", n=4)
    )

    assert texts(children) == ["answer 0", "answer 1", "answer 2", "answer 3"]
    assert [child.position for child in children] == [(0, 0), (0, 1), (0, 2), (0, 3)]
    assert len(set(seeds)) == 4
    assert None not in seeds


async def test_seeds_depend_on_the_run_and_not_on_the_moment(tmp_path: Path):
    seeds: list[int | None] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        seeds.append(sampling.seed)
        return "answer"

    for folder, run_seed in (("a", 0), ("b", 0), ("c", 1)):
        (tmp_path / folder).mkdir()
        await respond(tmp_path / folder, ScriptedEngine(reply), question(), run_seed=run_seed)

    assert seeds[0] == seeds[1] != seeds[2]


async def test_asking_for_more_samples_keeps_the_old_ones(tmp_path: Path):
    four = Respond(engine="teacher", n=4)
    before = await respond(tmp_path, numbering(), question(), stage=four)
    more = ScriptedEngine(lambda _prompt, _sampling, origin: f"new {origin.sample}")

    after = await respond(tmp_path, more, question(), stage=Respond(engine="teacher", n=6))

    assert more.calls == 2
    assert after[:4] == before
    assert texts(after[4:]) == ["new 4", "new 5"]


async def test_a_failed_call_drops_its_child_and_its_siblings_live(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        if origin.sample == 1:
            raise CallFailed("bad_request: the server refused the prompt")
        return "answer"

    children = await respond(
        tmp_path, ScriptedEngine(reply), question(), stage=Respond(engine="teacher", n=3)
    )

    assert [child.state for child in children] == ["live", "dropped", "live"]
    assert children[1].dropped is not None
    assert children[1].dropped.kind == "error"
    assert children[1].dropped.by == "draft"
    assert children[1].dropped.reason == "bad_request: the server refused the prompt"
    assert children[1].messages == question().messages


async def test_a_failure_without_a_code_gets_one(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        raise CallFailed("Something: went wrong")

    (child,) = await respond(tmp_path, ScriptedEngine(reply), question())

    assert child.dropped is not None
    assert child.dropped.reason == "call_failed: Something: went wrong"


async def test_an_outage_of_the_engine_is_no_drop(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        raise EngineDown("nobody answers")

    with pytest.raises(EngineDown):
        await respond(tmp_path, ScriptedEngine(reply), question())


@pytest.mark.parametrize("text", ["", " \n\t "])
async def test_an_empty_reply_is_a_dropped_child(tmp_path: Path, text: str):
    (child,) = await respond(tmp_path, saying(text), question())

    assert child.dropped is not None
    assert child.dropped.kind == "filter"
    assert child.dropped.reason == "empty_reply: the model returned no text"
    assert [message["role"] for message in child.messages] == ["user", "assistant"]


async def test_a_reply_that_was_cut_off_stays_and_says_so(tmp_path: Path):
    engine = saying(Completion("The sky", finish_reason="length"))

    (child,) = await respond(tmp_path, engine, question())

    assert (child.state, child.reply) == ("live", "The sky")
    assert child.fields == {"finish_reason": "length"}


async def test_a_whole_reply_carries_no_finish_reason(tmp_path: Path):
    (child,) = await respond(tmp_path, saying(" The sky scatters light. \n"), question())

    assert child.fields == {}
    assert child.reply == "The sky scatters light."


async def test_thoughts_and_tool_calls_stay_on_the_message(tmp_path: Path):
    call = {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    completion = Completion("", "tool_calls", reasoning="Hm.", tool_calls=(call,))

    (child,) = await respond(tmp_path, saying(completion), question())

    assert child.state == "live"
    assert child.messages[-1].get("reasoning") == "Hm."
    assert child.messages[-1].get("tool_calls") == [call]


async def test_a_reply_from_the_store_makes_the_same_child(tmp_path: Path):
    call = {"id": "1", "function": {"name": "add", "arguments": '{"a": 1}'}}
    completion = Completion("Ü", "length", reasoning="Hm.", tool_calls=(call,))
    first = await respond(tmp_path, saying(completion), question())

    again = await respond(tmp_path, saying("never asked"), question())

    assert again == first


async def asked(folder: Path, record: Record, stage: Respond, prompt: str = "") -> list[Message]:
    """Return the messages that the engine was asked, then those of the child."""
    seen: list[Message] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        seen.extend(prompt.messages)
        return "answer"

    (child,) = await respond(folder, ScriptedEngine(reply), record, stage=stage, prompt=prompt)
    return [*seen, Message(role="----", content=""), *child.messages]


def flat(messages: list[Message]) -> list[str]:
    return [f"{message['role']}: {message['content']}".rstrip() for message in messages]


async def test_the_records_own_conversation_is_kept_though_a_prompt_is_asked(tmp_path: Path):
    seen = await asked(
        tmp_path,
        question("Why?"),
        Respond(engine="teacher"),
        "--- system\nBe brief.\n--- user\nTopic: {{ instruction }}",
    )

    assert flat(seen) == [
        "system: Be brief.",
        "user: Topic: Why?",
        "----:",
        "user: Why?",
        "assistant: answer",
    ]


async def test_the_rendered_prompt_is_kept_where_the_recipe_says_so(tmp_path: Path):
    seen = await asked(
        tmp_path,
        question("Why?"),
        Respond(engine="teacher", conversation="prompt"),
        "Topic: {{ instruction }}",
    )

    assert flat(seen)[1:] == ["----:", "user: Topic: Why?", "assistant: answer"]


async def test_a_last_turn_of_the_assistant_is_answered_anew(tmp_path: Path):
    record = Record.seed({}, [GREETING, Message(role="assistant", content="old answer")])

    seen = await asked(tmp_path, record, Respond(engine="teacher"))

    assert flat(seen) == ["user: Hello", "----:", "user: Hello", "assistant: answer"]


async def test_an_instruction_without_messages_becomes_the_user_turn(tmp_path: Path):
    seen = await asked(tmp_path, Record.seed({"question": "Why?"}), Respond(engine="teacher"))

    assert flat(seen) == ["user: Why?", "----:", "user: Why?", "assistant: answer"]


async def test_a_system_turn_alone_is_completed_by_the_instruction(tmp_path: Path):
    record = Record.seed({"question": "Why?"}, [Message(role="system", content="Be brief.")])

    seen = await asked(tmp_path, record, Respond(engine="teacher"))

    assert flat(seen)[:2] == ["system: Be brief.", "user: Why?"]


async def test_a_record_that_says_nothing_is_an_error_of_its_own(tmp_path: Path):
    with pytest.raises(ValueError, match=r"^nothing_to_ask: "):
        await respond(tmp_path, saying("answer"), Record.seed({"n": 1}))


# Routing


@pytest.mark.parametrize(
    ("domain", "expert"), [("math", "ada"), ("code", "ken"), ("law", "eve"), (None, "eve")]
)
async def test_a_record_goes_to_the_expert_of_its_domain(
    tmp_path: Path, domain: str | None, expert: str
):
    fields = {} if domain is None else {"domain": domain}
    record = Record.seed(fields, question().messages)
    stage = Respond.model_validate({"engines": {"math": "ada", "code": "ken", "*": "eve"}, "n": 2})
    engines: dict[str, Engine] = {name: saying(f"I am {name}.") for name in ("ada", "ken", "eve")}

    async with services(tmp_path, engines=engines) as given:
        children = list(await stage.apply(record, given))

    assert texts(children) == [f"I am {expert}."] * 2
    assert [child.fields["expert"] for child in children] == [expert] * 2
    assert stage.engines() == ("ada", "ken", "eve")


async def test_a_domain_without_an_expert_is_a_drop(tmp_path: Path):
    record = Record.seed({"field": "law"}, question().messages)
    stage = Respond.model_validate({"engines": {"math": "ada"}, "route_by": "field"})

    async with services(tmp_path, engines={"ada": saying("Hi.")}) as given:
        (dropped,) = await stage.apply(record, given)

    assert (dropped.id, dropped.state) == (record.id, "dropped")
    assert dropped.dropped is not None
    assert dropped.dropped.reason == "no_expert: `engines` names none for field 'law'"


@pytest.mark.parametrize("options", [{}, {"engine": "ada", "engines": {"*": "ken"}}])
def test_one_way_to_an_engine_is_wanted(options: dict[str, object]):
    with pytest.raises(ValueError, match="wants `engine` or `engines`"):
        Respond.model_validate(options)


# Thinking


@pytest.mark.parametrize(
    ("said", "reasoning", "answer"),
    [
        ("<think>\nTwo and two.\n</think>\n\nFour.", "Two and two.", "Four."),
        ("Two and two.</think>Four.", "Two and two.", "Four."),
        ("<think></think>Four.", None, "Four."),
        ("<reasoning>Hm.</reasoning> Four.", "Hm.", "Four."),
        (
            "<|begin_of_thought|>Hm.<|end_of_thought|><|begin_of_solution|>Four.<|end_of_solution|>",
            "Hm.",
            "Four.",
        ),
        ("Write <think> and </think> around it.", None, "Write <think> and </think> around it."),
    ],
)
async def test_thinking_is_told_apart_from_the_answer(
    tmp_path: Path, said: str, reasoning: str | None, answer: str
):
    (child,) = await respond(tmp_path, saying(said), question())

    assert child.messages[-1].get("reasoning") == reasoning
    assert child.reply == answer


async def test_thinking_that_never_ends_is_a_drop_that_keeps_it(tmp_path: Path):
    (child,) = await respond(tmp_path, saying("<think>Let me see"), question())

    assert child.dropped is not None
    assert child.dropped.reason.startswith("unfinished_reasoning: ")
    assert child.messages[-1].get("reasoning") == "Let me see"


async def test_thinking_that_the_server_told_apart_is_not_looked_for(tmp_path: Path):
    said = Completion("<think>is a tag</think>", reasoning="Hm.")

    (child,) = await respond(tmp_path, saying(said), question())

    assert (child.messages[-1].get("reasoning"), child.reply) == ("Hm.", "<think>is a tag</think>")


async def test_tags_may_be_left_alone(tmp_path: Path):
    stage = Respond(engine="teacher", split_reasoning=False)

    (child,) = await respond(tmp_path, saying("<think>a</think>b"), question(), stage=stage)

    assert child.reply == "<think>a</think>b"
