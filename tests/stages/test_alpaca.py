"""Twenty tasks in one reply: which are read, which are kept, and what is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Chat, Completion, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.record import Message, Record
from synth.stages.alpaca import Alpaca
from tests.running import saying, services


def seed(number: int, **fields: Any) -> Record:
    asked = Message(role="user", content=f"Say word number {number} backwards.")
    return Record.seed(fields, [asked, Message(role="assistant", content="drow")], number=number)


def block(number: int, *, task: str = "", given: str = "<noinput>", output: str = "Done.") -> str:
    task = task or " ".join(f"word{number}x{place}" for place in range(5))
    return (
        f"{number}. Instruction: {task}\n{number}. Input:\n{given}\n{number}. Output:\n{output}\n"
    )


async def made(tmp_path: Path, script: Any, **options: Any) -> list[Record]:
    """Return the new tasks, by position."""
    given = {"engine": "teacher", "num_instructions_to_generate": 1, "max_barren_requests": 1}
    stage = Alpaca.model_validate({**given, **options})
    engine = script if isinstance(script, ScriptedEngine) else ScriptedEngine(script)
    seeds = [seed(number) for number in range(5)]
    left: list[Record] = []
    async with services(
        tmp_path, engines={"teacher": engine}, prompts=stage.default_prompts
    ) as asked:
        await stage.apply_all(seeds, asked, left.extend)
    return sorted((one for one in left if one.parents), key=lambda record: record.position)


def codes(records: list[Record]) -> list[str]:
    return [one.dropped.reason.partition(":")[0] if one.dropped else "kept" for one in records]


async def test_a_task_is_a_conversation_with_its_input_after_a_blank_line(tmp_path: Path):
    said = f"###\n{block(4, task='Add the two numbers.', given='2, 3', output='5')}"

    (one,) = await made(tmp_path, saying(said))

    assert [turn["content"] for turn in one.messages] == ["Add the two numbers.\n\n2, 3", "5"]
    assert (one.fields["instruction"], one.fields["input"], one.fields["output"]) == (
        "Add the two numbers.",
        "2, 3",
        "5",
    )


async def test_a_raw_reply_goes_on_where_the_prompt_ended(tmp_path: Path):
    said = block(4).removeprefix("4. Instruction:") + "###\n" + block(5)

    records = await made(tmp_path, saying(said), mode="reference", request_batch_size=1)

    assert codes(records) == ["kept", "kept"]
    assert records[0].fields["input"] == ""


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (block(6), "malformed"),
        ("5. Instruction: Do it now please.\n5. Output:\nYes.", "malformed"),
        ("Sorry, that is all.", "malformed"),
        (block(5, output=""), "empty_output"),
        (block(5, task="Compose some Music for us."), "blacklisted"),
        (block(5, task="Say word number 3 backwards."), "similar"),
    ],
)
async def test_what_is_no_good_is_dropped_with_its_reason(tmp_path: Path, second: str, code: str):
    records = await made(tmp_path, saying(f"{block(4)}###\n{second}"))

    assert codes(records) == ["kept", code]
    assert (records[1].fields.get("raw_reply") == second.strip()) == (code == "malformed")


async def test_the_last_task_of_a_reply_that_was_cut_off_is_dropped(tmp_path: Path):
    said = Completion(f"{block(4)}###\n{block(5)}", finish_reason="length")

    assert codes(await made(tmp_path, saying(said))) == ["kept", "cut_off"]


async def test_three_seeds_are_shown_in_full_and_nothing_else(tmp_path: Path):
    prompts: list[str] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        prompts.append(prompt.messages[-1]["content"])
        return block(4, task=" ".join(f"new{origin.sample}x{n}" for n in range(6)))

    await made(tmp_path, reply, num_instructions_to_generate=4, lag=1)

    assert len(prompts) == 4
    for prompt in prompts:
        assert prompt.count("Say word number") == 3
        assert prompt.count("Output:\ndrow") == 3
        assert prompt.endswith("###\n4. Instruction:")
        assert "new0" not in prompt


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, ("<noinput>", "drow")),
        ({"input": "a", "output": "b"}, ("a", "b")),
        ({"instances": [{"input": "c", "output": "d"}, {"input": "e", "output": "f"}]}, ("c", "d")),
        ({"instances": [{"input": "", "output": "d"}]}, ("<noinput>", "d")),
        ({"instances": []}, ("<noinput>", "drow")),
    ],
)
def test_a_seed_shows_its_first_instance(fields: dict[str, Any], shown: tuple[str, str]):
    task = Alpaca(engine="teacher").shown(seed(1, **fields))

    assert (task["input"], task["output"]) == shown
