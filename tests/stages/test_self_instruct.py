"""What grows out of a few tasks: which are shown, which are kept, and what becomes of the rest."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Chat, Completion, Prompted, Sampling, Text
from synth.engine.base import Origin as Address
from synth.engine.scripted import ScriptedEngine
from synth.errors import CallFailed, InputError
from synth.record import Message, Record
from synth.stages.self_instruct import SelfInstruct
from tests.running import saying, services

SEEDS = [
    "Name three birds that can swim.",
    "Explain why bread rises in the oven.",
    "Turn this sentence into the past tense.",
    "Which of these two words is longer?",
    "Write a limerick about a lazy postman.",
    "How many legs have seven spiders?",
    "Suggest a name for a bicycle shop.",
    "Say whether this review is friendly.",
    "List the planets by their size.",
    "Give directions from a station to a lake.",
]


def seed(number: int) -> Record:
    turn = Message(role="user", content=SEEDS[number])
    return Record.seed({}, [turn], number=number)


def shown_in(prompt: Prompted) -> list[str]:
    """Return the tasks of the list that a request shows."""
    text = prompt.messages[-1]["content"] if isinstance(prompt, Chat) else str(prompt.text)
    return re.findall(r"^\d+\. (.+)$", text, re.MULTILINE)


def new_task(number: int) -> str:
    """Return a task that is like no other."""
    return " ".join(f"word{number}x{place}" for place in range(5))


async def grown(
    tmp_path: Path, script: Any, *, seeds: int = len(SEEDS), **options: Any
) -> list[Record]:
    """Return all that leaves the stage, by position."""
    stage = SelfInstruct.model_validate(
        {"engine": "teacher", "max_instances_to_generate": 0, "max_barren_requests": 1, **options}
    )
    prompts = stage.default_prompts
    engine = script if isinstance(script, ScriptedEngine) else ScriptedEngine(script)
    left: list[Record] = []
    async with services(tmp_path, engines={"teacher": engine}, prompts=prompts) as given:
        await stage.apply_all([seed(n) for n in range(seeds)], given, left.extend)
    return sorted(left, key=lambda record: record.position)


def made(records: list[Record]) -> list[Record]:
    return [record for record in records if record.parents]


def reasons(records: list[Record]) -> dict[str, str]:
    """Return instruction → code, for each that was dropped."""
    return {
        str(record.fields["instruction"]): record.dropped.reason.partition(":")[0]
        for record in made(records)
        if record.dropped
    }


# What is shown


async def test_prompts_hold_8_seeds_then_7_and_one_new_task_then_6_and_two(tmp_path: Path):
    shown: list[int] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Address) -> str:
        tasks = shown_in(prompt)
        shown.append(len([task for task in tasks if task not in SEEDS]))
        assert len(tasks) == 8
        return new_task(origin.sample)

    await grown(tmp_path, reply, lag=1, num_instructions_to_generate=5)

    assert shown == [0, 1, 2, 2, 2]


async def test_reference_draws_a_batch_of_prompts_from_one_state_of_the_pool(tmp_path: Path):
    new: list[int] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Address) -> str:
        assert isinstance(prompt, Text)
        new.append(len([task for task in shown_in(prompt) if task not in SEEDS]))
        return f" {new_task(origin.sample)}"

    records = await grown(tmp_path, reply, mode="reference", num_instructions_to_generate=6)

    assert (new, len(made(records))) == ([0] * 5 + [2] * 5, 10)


async def test_few_seeds_are_all_shown(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Address) -> str:
        assert sorted(shown_in(prompt)) == sorted(SEEDS[:3])
        return new_task(0)

    records = await grown(tmp_path, reply, seeds=3, num_instructions_to_generate=1)

    assert len(made(records)) == 1


async def test_a_new_task_descends_from_what_was_shown_and_founds_a_family(tmp_path: Path):
    records = await grown(tmp_path, saying(new_task(0)), num_instructions_to_generate=1)

    (new,) = made(records)
    assert len(new.parents) == 8
    assert set(new.parents) <= {record.id for record in records}
    assert new.family == new.id
    assert [record.state for record in records if not record.parents] == ["parent"] * len(SEEDS)


# What is kept


@pytest.mark.parametrize(
    ("task", "code"),
    [
        ("", "empty"),
        ("Name three birds", "too_short"),
        (" ".join(["word"] * 151), "too_long"),
        ("Describe what this Picture shows you.", "blacklisted"),
        ("Tell me where to go to today.", "blacklisted"),
        ("Write a program that adds two numbers.", "unwanted_prefix"),
        ("(Think of a number and double it)", "starts_with_punctuation"),
        ("Überlege dir drei Namen für Hunde.", "starts_outside_ascii"),
        ("Name three big birds that can swim.", "similar"),
    ],
)
async def test_each_filter_drops_with_its_reason(tmp_path: Path, task: str, code: str):
    records = await grown(tmp_path, saying(task or "9. \n10. "))

    assert set(reasons(records).values()) == {code}


@pytest.mark.parametrize(
    "task",
    [
        "Name three birds quickly",  # four words
        " ".join(f"word{n}" for n in range(150)),
        "Describe the photograph of a mapmaker.",
        "Rewrite a program that adds two numbers.",
    ],
)
async def test_what_no_filter_means_is_kept(tmp_path: Path, task: str):
    records = await grown(tmp_path, saying(task), num_instructions_to_generate=1)

    assert [record.fields["instruction"] for record in made(records)] == [task]


async def test_every_filter_is_an_option(tmp_path: Path):
    off = {"min_words": 1, "blacklist": [], "prefixes": [], "letter_first": False,
           "ascii_first": False}  # fmt: skip
    said = "9. Draw\n10. Write a program\n11. (So?)\n12. Überlege"

    records = await grown(tmp_path, saying(said), filters=off, num_instructions_to_generate=4)

    assert [record.state for record in made(records)] == ["live"] * 4


async def test_a_task_is_held_against_those_kept_just_before(tmp_path: Path):
    said = f"9. {new_task(1)}\n10. {new_task(1)} more\n11. {new_task(2)}"

    records = await grown(tmp_path, saying(said), num_instructions_to_generate=2)

    assert [record.state for record in made(records)] == ["live", "dropped", "live"]
    assert reasons(records) == {f"{new_task(1)} more": "similar"}


async def test_what_is_as_similar_as_allowed_is_kept(tmp_path: Path):
    seven_of_ten = "a b c d e f g 1 2 3"
    said = f"9. a b c d e f g x y z\n10. {seven_of_ten}"

    records = await grown(tmp_path, saying(said), num_instructions_to_generate=2)

    assert made(records)[1].fields["most_similar"][0]["rouge_l"] == 0.7
    assert made(records)[1].state == "live"


async def test_a_list_is_read_with_white_space_made_one(tmp_path: Path):
    said = f"{new_task(1)}\n 10 . not a border\n10. {new_task(2)}\n   goes on\n11 . {new_task(3)}"

    records = await grown(tmp_path, saying(said), num_instructions_to_generate=3)

    assert [record.fields["instruction"] for record in made(records)] == [
        f"{new_task(1)} 10 . not a border",
        f"{new_task(2)} goes on",
        new_task(3),
    ]


async def test_reference_writes_all_letters_but_the_first_small(tmp_path: Path):
    records = await grown(
        tmp_path, saying(" tell me about Ada Lovelace."), mode="reference",
        num_instructions_to_generate=1,
    )  # fmt: skip

    assert made(records)[0].fields["instruction"] == "Tell me about ada lovelace."


@pytest.mark.parametrize(("mode", "kept"), [("paper", 1), ("reference", 0)])
async def test_of_a_reply_that_was_cut_off_the_last_task_or_all_are_dropped(
    tmp_path: Path, mode: str, kept: int
):
    reply = Completion(f"{new_task(1)}\n10. {new_task(2)}", finish_reason="length")

    records = await grown(tmp_path, saying(reply), mode=mode, num_instructions_to_generate=1)

    codes = Counter(reasons(records).values())
    assert len([record for record in made(records) if record.state == "live"]) == kept
    assert codes["cut_off"] >= 1


async def test_a_failed_request_is_an_error_and_the_others_go_on(tmp_path: Path):
    def reply(prompt: Prompted, sampling: Sampling, origin: Address) -> str:
        if origin.sample == 1:
            raise CallFailed("too_long: the prompt is too long")
        return new_task(origin.sample)

    records = await grown(
        tmp_path, reply, num_instructions_to_generate=3, max_barren_requests=2, lag=4
    )

    dropped = [record.dropped for record in records if record.dropped]
    assert [(drop.kind, drop.reason) for drop in dropped] == [
        ("error", "too_long: the prompt is too long")
    ]
    assert len([record for record in made(records) if record.state == "live"]) == 3


async def test_a_model_with_nothing_new_to_say_is_not_asked_for_ever(tmp_path: Path):
    engine = saying(SEEDS[0])

    await grown(tmp_path, engine, max_barren_requests=7, lag=1)

    assert engine.calls == 7


async def test_the_pool_is_the_same_whatever_the_timing(tmp_path: Path):
    async def slowly(prompt: Prompted, sampling: Sampling, origin: Address) -> str:
        await asyncio.sleep(random.Random(origin.sample * 7 + turn).random() / 50)
        return f"{new_task(origin.sample // 2)}\n10. {' '.join(shown_in(prompt))[:60]}"

    runs: list[list[Record]] = []
    for turn in range(3):
        (tmp_path / str(turn)).mkdir()
        runs.append(
            await grown(
                tmp_path / str(turn), slowly, lag=6, num_instructions_to_generate=20
            )
        )  # fmt: skip

    assert runs[0] == runs[1] == runs[2]


async def test_no_seeds_are_an_input_error(tmp_path: Path):
    with pytest.raises(InputError, match="wants seed tasks"):
        await grown(tmp_path, saying(""), seeds=0)


# Instances


def answering(classification: str | Completion, instances: str | Completion) -> Any:
    def reply(prompt: Prompted, sampling: Sampling, origin: Address) -> str | Completion:
        if origin.step == "instructions":
            return new_task(0)
        return classification if origin.step == "classification" else instances

    return reply


async def instances_of(
    tmp_path: Path, classification: str, instances: str | Completion, **options: Any
) -> list[Record]:
    """Return the children of one new task."""
    options = {"num_instructions_to_generate": 1, "max_instances_to_generate": 5, **options}
    records = await grown(tmp_path, answering(classification, instances), **options)
    (task,) = [record for record in made(records) if record.family == record.id]
    assert task.state == "parent"
    return [record for record in records if task.id in record.parents]


def pairs(records: list[Record]) -> list[tuple[Any, Any]]:
    return [
        (record.fields["input"], record.fields["output"])
        for record in records
        if record.state == "live"
    ]


async def test_an_instance_is_a_conversation_and_knows_its_task(tmp_path: Path):
    (one,) = await instances_of(tmp_path, "No", "Example 1\nInput: 2 + 2\nOutput: 4")

    assert one.messages == (
        Message(role="user", content=f"{new_task(0)}\n\n2 + 2"),
        Message(role="assistant", content="4"),
    )
    assert (one.fields["instruction"], one.fields["input"]) == (new_task(0), "2 + 2")


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("Output: Paris", [("", "Paris")]),
        ("Example 1\nInput: a\nOutput: b\nExample 2\nInput: c\nOutput: d",
         [("a", "b"), ("c", "d")]),
        ("Example 1\nText: a\nOutput: b\nInput: c", [("Text: a", "b")]),
        ("Example 1\nlonely output", [("", "lonely output")]),
    ],
)  # fmt: skip
async def test_input_first_replies_are_read(
    tmp_path: Path, reply: str, found: list[tuple[str, str]]
):
    assert pairs(await instances_of(tmp_path, "No", reply)) == found


async def test_output_first_replies_are_read(tmp_path: Path):
    said = "Class label: good\nReview: I liked it.\n\nClass label: bad\nReview: Never again."

    assert pairs(await instances_of(tmp_path, "Yes", said)) == [
        ("Review: I liked it.", "good"),
        ("Review: Never again.", "bad"),
    ]


@pytest.mark.parametrize(
    ("reply", "codes"),
    [
        ("Example 1\nInput: a\nOutput: a", ["output_is_input"]),
        ("Example 1\nInput: a\nOutput:", ["empty_output"]),
        ("Example 1\nInput: this:\nOutput: b", ["incomplete"]),
        ("Example 1\nInput: a\nOutput: b\nExample 2\nInput: a\nOutput: c", ["contradiction"] * 2),
        ("Example 1\nInput: a\nOutput: b\nExample 2\nInput: a\nOutput: b", ["duplicate"]),
        ("I would rather not.", ["no_instance"]),
        ("", ["no_instance"]),
        (Completion("Example 1\nInput: a\nOutput: b", finish_reason="length"), ["cut_off"]),
    ],
)
async def test_instances_that_are_no_good_are_dropped_with_their_reason(
    tmp_path: Path, reply: str | Completion, codes: list[str]
):
    children = await instances_of(tmp_path, "No", reply)

    dropped = [child.dropped for child in children if child.dropped]
    assert [drop.reason.partition(":")[0] for drop in dropped] == codes
    assert {drop.kind for drop in dropped} == {"filter"}


async def test_of_many_instances_some_are_drawn(tmp_path: Path):
    said = "\n".join(f"Example {n}\nInput: in {n}\nOutput: out {n}" for n in range(1, 6))

    children = await instances_of(tmp_path, "No", said, max_instances_to_generate=2)

    assert len(pairs(children)) == 2
    assert Counter(child.dropped.reason[:8] for child in children if child.dropped) == {
        "too_many": 3
    }


async def test_an_unclear_classification_is_a_drop_with_the_reply(tmp_path: Path):
    (child,) = await instances_of(tmp_path, "Hard to say", "Output: x")

    assert child.fields["raw_reply"] == "Hard to say"
    assert child.dropped is not None
    assert child.dropped.reason.startswith("no_choice: ")


async def test_reference_takes_all_but_yes_for_no(tmp_path: Path):
    script = answering(" Perhaps", "Output: x")

    records = await grown(
        tmp_path, script, mode="reference", num_instructions_to_generate=1, request_batch_size=1,
        max_instances_to_generate=5,
    )  # fmt: skip

    assert pairs([record for record in records if "output" in record.fields]) == [("", "x")]
