"""Instructions that a model writes itself, from its own template."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from pydantic import PrivateAttr

from synth.engine.base import Chat, Completion, Engine, Origin, Prompted, Sampling, Text
from synth.engine.scripted import Script, ScriptedEngine
from synth.errors import CallFailed, EngineRefused, Outage
from synth.record import Message, Record
from synth.stages.magpie import Magpie
from tests.running import numbering, saying, services


def why(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    return "Why?"


class Templated(ScriptedEngine):
    """A scripted engine with another chat template: text before and after a user turn."""

    system: str = ""
    before: str = "<user>"
    after: str = "<end>\n"
    header: str = "<assistant>"

    def __init__(self, script: Script, /, **template: Any) -> None:
        super().__init__(script, **template)

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return the turns as this template writes them."""
        turns = [
            f"<system>{message['content']}</system>"
            if message["role"] == "system"
            else f"{self.before}{message['content']}{self.after}"
            for message in messages
        ]
        given = any(message["role"] == "system" for message in messages)
        return ("" if given else self.system) + "".join(turns) + self.header * reply_next


async def magpie(
    folder: Path, engine: Engine, records: Sequence[Record], prompt: str = "", **options: Any
) -> list[Record]:
    """Return what the stage `ask` makes of records."""
    prompts = {"turn_prompt": "Go on."} | ({"system_prompt": prompt} if prompt else {})
    stage = Magpie.model_validate({"engine": "teacher", **options})
    async with services(folder, label="ask", engines={"teacher": engine}, prompts=prompts) as given:
        return [child for record in records for child in await stage.apply(record, given)]


def empty_seeds(count: int) -> list[Record]:
    """Return seeds as `seeds: {count: N}` gives them."""
    return [Record.seed({}, number=number, occurrence=number) for number in range(count)]


async def asked(folder: Path, engine: type[Templated], **options: Any) -> tuple[str, Sampling]:
    """Return the raw text and the sampling of a call."""
    seen: list[tuple[str, Sampling]] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert isinstance(prompt, Text)
        assert isinstance(prompt.text, str)
        assert not prompt.add_special_tokens
        seen.append((prompt.text, sampling))
        return "Why?"

    template = options.pop("template", {})
    await magpie(folder, engine(reply, **template), empty_seeds(1), **options)
    return seen[0]


async def test_the_prompt_is_the_template_up_to_the_users_words(tmp_path: Path):
    template = {"system": "<system>You are kind.</system>", "before": "<user>\n"}

    text, sampling = await asked(tmp_path, Templated, template=template)

    assert text == "<system>You are kind.</system><user>\n"
    assert sampling.stop == ("<end>",)


async def test_stops_of_the_recipe_are_kept(tmp_path: Path):
    _, sampling = await asked(tmp_path, Templated, sampling={"stop": ["\n\n", "<end>"]})

    assert sampling.stop == ("\n\n", "<end>")


async def test_the_reference_ends_a_turn_early_too(tmp_path: Path):
    _, sampling = await asked(tmp_path, Templated, mode="reference")

    assert sampling.stop == ("assistant", "\n", "<end>")


@pytest.mark.parametrize(
    ("after", "header", "stop"),
    [
        (" [/INST]", "", "[/INST]"),
        ("<end>\n<eos>", "<assistant>", "<end>"),
        ("\n\n", "### Response:\n", "### Response:"),
    ],
)
async def test_a_turn_ends_with_what_the_template_writes_after_it(
    tmp_path: Path, after: str, header: str, stop: str
):
    _, sampling = await asked(tmp_path, Templated, template={"after": after, "header": header})

    assert sampling.stop == (stop,)


async def test_a_template_without_any_end_gives_no_empty_stop(tmp_path: Path):
    _, sampling = await asked(tmp_path, Templated, template={"after": "", "header": ""})

    assert sampling.stop == ()


async def test_equal_requests_of_different_records_stay_calls_of_their_own(tmp_path: Path):
    engine = numbering()

    children = await magpie(tmp_path, engine, empty_seeds(5))

    assert engine.calls == 5
    assert len({child.instruction for child in children}) == 5


async def test_each_of_n_instructions_is_a_call_of_its_own(tmp_path: Path):
    engine = numbering()

    children = await magpie(tmp_path, engine, empty_seeds(2), n=3)

    assert engine.calls == 6
    assert [child.position for child in children] == [(i, j) for i in (0, 1) for j in (0, 1, 2)]


async def test_running_again_asks_nothing(tmp_path: Path):
    first = await magpie(tmp_path, numbering(), empty_seeds(5))
    engine = numbering()

    again = await magpie(tmp_path, engine, empty_seeds(5))

    assert engine.calls == 0
    assert again == first


async def test_a_system_prompt_steers_and_is_not_kept(tmp_path: Path):
    seen: list[str] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        seen.append(str(prompt.text) if isinstance(prompt, Text) else "")
        return "Why?"

    seeds = [Record.seed({"domain": domain}) for domain in ("physics", "law")]
    children = await magpie(
        tmp_path, Templated(reply, system="<default>"), seeds, "You know {{ domain }}."
    )

    assert seen == [
        "<system>You know physics.</system><user>",
        "<system>You know law.</system><user>",
    ]
    assert [child.messages for child in children] == [({"role": "user", "content": "Why?"},)] * 2


async def test_the_system_turn_is_kept_where_the_recipe_says_so(tmp_path: Path):
    (child,) = await magpie(tmp_path, saying("Why?"), empty_seeds(1), "Be kind.", keep_system=True)

    assert [message["role"] for message in child.messages] == ["system", "user"]
    assert child.messages[0]["content"] == "Be kind."


@pytest.mark.parametrize(
    ("completion", "reason"),
    [
        (Completion(" \n"), "empty_instruction: the model ended the user turn at once"),
        (
            Completion("Why is", finish_reason="length"),
            "cut_off_instruction: the user turn did not end within `max_tokens`",
        ),
    ],
)
async def test_an_unusable_turn_is_a_dropped_child(
    tmp_path: Path, completion: Completion, reason: str
):
    (child,) = await magpie(tmp_path, saying(completion), empty_seeds(1))

    assert child.dropped is not None
    assert (child.dropped.kind, child.dropped.by) == ("filter", "ask")
    assert child.dropped.reason == reason


async def test_a_failed_call_drops_its_child_only(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        if origin.sample == 0:
            raise CallFailed("timeout: no reply within 600 s")
        return "Why?"

    children = await magpie(tmp_path, ScriptedEngine(reply), empty_seeds(1), n=2)

    assert [child.state for child in children] == ["dropped", "live"]
    assert children[0].dropped is not None
    assert children[0].dropped.reason == "timeout: no reply within 600 s"


class Hiding(ScriptedEngine):
    """An engine whose template swallows the turns of a role."""

    hidden: str = "user"

    def __init__(self, hidden: str) -> None:
        super().__init__(why, hidden=hidden)

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return the contents of all turns but the hidden ones."""
        return "".join(m["content"] for m in messages if m["role"] != self.hidden)


@pytest.mark.parametrize(
    ("hidden", "prompt", "named"),
    [("user", "", "the user turn"), ("system", "Be kind.", "a system turn")],
)
async def test_a_template_that_does_not_show_a_turn_is_refused(
    tmp_path: Path, hidden: str, prompt: str, named: str
):
    engine = Hiding(hidden)

    with pytest.raises(EngineRefused, match=f"'teacher' does not show {named} as it is"):
        await magpie(tmp_path, engine, empty_seeds(1), prompt)


class Shaky(Templated):
    """An engine that fails to show its template the first time."""

    _asked: int = PrivateAttr(default=0)

    def __init__(self) -> None:
        super().__init__(why)

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Fail once, then answer."""
        self._asked += 1
        if self._asked == 1:
            raise Outage("server_error: 503")
        return await super().chat_text(messages, reply_next=reply_next)


async def test_a_template_that_could_not_be_had_once_is_asked_for_again(tmp_path: Path):
    async with services(tmp_path, label="ask", engines={"teacher": Shaky()}) as given:
        stage = Magpie(engine="teacher")
        with pytest.raises(Outage):
            await stage.apply(empty_seeds(1)[0], given)

        (child,) = await stage.apply(empty_seeds(1)[0], given)

    assert child.instruction == "Why?"


# Several turns and settings


class Chatting(Templated):
    """A template that writes the assistant's turns, too."""

    def __init__(self, script: Script, /, **template: Any) -> None:
        super().__init__(script, **template)

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return all turns under their role's name."""
        turns = [f"<{message['role']}>{message['content']}<end>" for message in messages]
        return "".join(turns) + "<assistant>" * reply_next


def talking(asked: list[tuple[str, Prompted]]) -> Script:
    """Return a script that notes what it is asked, and says which call it is."""

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        asked.append((origin.step, prompt))
        return f"{origin.step}."

    return reply


async def test_the_model_replies_and_goes_on_as_the_user(tmp_path: Path):
    asked: list[tuple[str, Prompted]] = []

    (child,) = await magpie(tmp_path, Chatting(talking(asked)), empty_seeds(1), turns=3)

    assert [(turn["role"], turn["content"]) for turn in child.messages] == [
        ("user", "instruction."),
        ("assistant", "reply 1."),
        ("user", "instruction 2."),
        ("assistant", "reply 2."),
        ("user", "instruction 3."),
    ]
    assert asked[0] == ("instruction", Text("<user>", add_special_tokens=False))
    assert asked[1] == ("reply 1", Chat((Message(role="user", content="instruction."),)))


async def test_a_later_user_turn_is_steered_by_a_system_turn_that_is_not_kept(tmp_path: Path):
    asked: list[tuple[str, Prompted]] = []
    engine = Chatting(talking(asked))

    children = await magpie(
        tmp_path, engine, empty_seeds(1), "You teach law.", turns=2, keep_system=True
    )

    later = asked[2][1]
    assert isinstance(later, Text)
    assert later.text == (
        "<system>Go on.<end><user>instruction.<end><assistant>reply 1.<end><user>"
    )
    assert [turn["content"] for turn in children[0].messages][:2] == [
        "You teach law.",
        "instruction.",
    ]
    assert asked[1][1] == Chat(
        (
            Message(role="system", content="You teach law."),
            Message(role="user", content="instruction."),
        )
    )


@pytest.mark.parametrize(
    ("bad", "said", "code"),
    [
        ("reply 1", "", "empty_reply"),
        ("reply 1", Completion("So", finish_reason="length"), "cut_off_reply"),
        ("instruction 2", " ", "empty_instruction"),
        ("instruction 2", Completion("Wh", finish_reason="length"), "cut_off_instruction"),
    ],
)
async def test_a_conversation_with_a_bad_turn_is_dropped_as_far_as_it_went(
    tmp_path: Path, bad: str, said: str | Completion, code: str
):
    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str | Completion:
        return said if origin.step == bad else "Fine."

    (child,) = await magpie(tmp_path, Chatting(reply), empty_seeds(1), turns=3)

    assert child.dropped is not None
    assert child.dropped.reason.startswith(f"{code}: ")
    assert len(child.messages) == (2 if bad == "reply 1" else 3)


async def test_children_take_the_settings_in_turn(tmp_path: Path):
    seen: list[tuple[int, float | None, float | None]] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        seen.append((origin.sample, sampling.temperature, sampling.top_p))
        return "Why?"

    await magpie(
        tmp_path, Templated(reply), empty_seeds(1), n=3, settings=[[1.0, 1.0], [1.2, 0.995]]
    )

    assert sorted(seen) == [(0, 1.0, 1.0), (1, 1.2, 0.995), (2, 1.0, 1.0)]


@pytest.mark.parametrize("pair", [[-1, 1.0], [1.0, 0], [1.0, 1.1]])
def test_settings_that_nobody_can_draw_with_are_refused(pair: list[float]):
    with pytest.raises(ValueError, match="wants pairs"):
        Magpie.model_validate({"engine": "teacher", "settings": [pair]})


def test_only_several_turns_need_an_engine_that_chats():
    assert Magpie(engine="teacher").needs("teacher") == {"text", "chat_text"}
    assert Magpie(engine="teacher", turns=2).needs("teacher") == {"text", "chat_text", "chat"}
