"""Pairs of replies become two records each, whatever form of TRL they come in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from synth.record import Record
from synth.stages.preferences import Preferences
from tests.running import services

ASKED = {"role": "user", "content": "Is it dry?"}
NULLS = dict.fromkeys(("name", "tool_calls", "tool_call_id"))
GOOD, BAD = ({"role": "assistant", "content": text} for text in ("Yes, all day.", "No idea."))


async def became(fields: dict[str, Any], folder: Path) -> list[Record]:
    async with services(folder, label="pairs") as given:
        return list(await Preferences().apply(Record.seed(fields, []), given))


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Is it dry?", "chosen": "Yes, all day.", "rejected": "No idea."},
        {"prompt": "Is it dry?", "chosen": [GOOD], "rejected": [BAD]},
        {"prompt": [ASKED], "chosen": [GOOD], "rejected": [BAD]},
        {"chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {"question": "Is it dry?", "chosen": "Yes, all day.", "rejected": "No idea."},
        {"prompt": "Is it dry?", "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {"prompt": [ASKED], "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]},
        {
            "prompt": [{"from": "human", "value": "Is it dry?"}],
            "chosen": {"from": "gpt", "value": "Yes, all day."},
            "rejected": {"from": "gpt", "value": "No idea."},
        },
        {
            "chosen": "\n\nHuman: Is it dry?\n\nAssistant: Yes, all day.",
            "rejected": "\n\nHuman: Is it dry?\n\nAssistant: No idea.",
        },
        {"prompt": [NULLS | ASKED], "chosen": [NULLS | GOOD], "rejected": [NULLS | BAD]},
    ],
    ids=[
        *(
            "texts",
            "text and turns",
            "turns",
            "conversations",
            "question",
            "text and conversations",
        ),
        *("turns and conversations", "ShareGPT", "marked texts", "columns of nulls"),
    ],
)
async def test_each_form_gives_two_conversations(row: dict[str, Any], tmp_path: Path):
    made = await became(row, tmp_path)

    assert [list(one.messages) for one in made] == [[ASKED, GOOD], [ASKED, BAD]]
    assert [one.fields["preference"] for one in made] == ["chosen", "rejected"]


async def test_turns_that_follow_a_system_turn_are_no_whole_conversation(tmp_path: Path):
    system = {"role": "system", "content": "Be brief."}
    row = {"prompt": [system], "chosen": [ASKED, GOOD], "rejected": [ASKED, BAD]}

    made = await became(row, tmp_path)

    assert [list(one.messages) for one in made] == [[system, ASKED, GOOD], [system, ASKED, BAD]]


@pytest.mark.parametrize("column", ["system", "system_prompt"])
async def test_a_column_is_the_system_turn_of_both(column: str, tmp_path: Path):
    row = {column: "Be brief.", "question": "Is it dry?", "chosen": "Yes.", "rejected": "No."}

    made = await became(row, tmp_path)

    roles = [[turn["role"] for turn in one.messages] for one in made]
    assert roles == [["system", "user", "assistant"]] * 2


@pytest.mark.parametrize("name", ["prompt", "whole"])
async def test_turns_may_be_json_text_as_in_csv(name: str, tmp_path: Path):
    before = [] if name == "prompt" else [ASKED]
    row = {"chosen": json.dumps([*before, GOOD]), "rejected": json.dumps([*before, BAD])}

    made = await became({**row, name: json.dumps([ASKED])}, tmp_path)

    assert [list(one.messages) for one in made] == [[ASKED, GOOD], [ASKED, BAD]]


async def test_a_reply_that_is_json_of_another_kind_stays_text(tmp_path: Path):
    row = {"prompt": "A list?", "chosen": '[{"role": "king"}]', "rejected": "[1]"}

    made = await became(row, tmp_path)

    assert [one.reply for one in made] == ['[{"role": "king"}]', "[1]"]


async def test_a_reply_may_call_tools_and_say_nothing(tmp_path: Path):
    good, bad = (
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": name}}]}
        for name in ("weather", "clock")
    )

    made = await became({"prompt": "Is it dry?", "chosen": [good], "rejected": [bad]}, tmp_path)

    assert [one.messages[-1] for one in made] == [good | {"content": ""}, bad | {"content": ""}]


async def test_the_same_call_is_no_choice(tmp_path: Path):
    call = {"role": "assistant", "tool_calls": [{"function": {"name": "weather"}}]}

    [dropped] = await became({"prompt": "?", "chosen": [call], "rejected": [call]}, tmp_path)

    assert dropped.dropped is not None
    assert dropped.dropped.reason.startswith("same_reply: ")


async def test_other_fields_stay_and_the_pair_does_not(tmp_path: Path):
    row = {"prompt": "Is it dry?", "chosen": "Yes.", "rejected": "No.", "source": "web"}

    made = await became(row, tmp_path)

    wanted = {"prompt": None, "chosen": None, "rejected": None, "source": "web"}
    assert [one.fields.items() >= wanted.items() for one in made] == [True, True]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"prompt": "a", "chosen": "Yes."}, "no_pair: 'rejected' holds no text"),
        ({"prompt": "a", "chosen": " ", "rejected": "No."}, "no_pair: 'chosen' does not end"),
        ({"prompt": "a", "chosen": "", "rejected": "No."}, "no_pair: 'chosen' does not end"),
        ({"chosen": "Yes.", "rejected": "No."}, "no_pair: 'prompt' holds no text"),
        (
            {"prompt": "a", "chosen": ["x"], "rejected": "No."},
            "no_pair: 'chosen' cannot be read: turn 1",
        ),
        (
            {"prompt": "a", "chosen": [{**GOOD, "role": "?"}], "rejected": "No."},
            "no_pair: 'chosen' c",
        ),
        (
            {"chosen": "A. Human: b", "rejected": "\n\nAssistant: c"},
            "no_pair: 'prompt' holds no text",
        ),
        ({"prompt": "a", "chosen": 7, "rejected": "No."}, "no_pair: 'chosen' holds no text"),
        ({"prompt": "a", "chosen": "No  .", "rejected": "No .\n"}, "same_reply: "),
        (
            {"chosen": [ASKED, GOOD], "rejected": [{**ASKED, "content": "b"}, BAD]},
            "unlike_prompts: ",
        ),
    ],
)
async def test_what_is_no_pair_is_dropped_with_the_reason(
    row: dict[str, Any], reason: str, tmp_path: Path
):
    [dropped] = await became(row, tmp_path)

    assert dropped.dropped is not None
    assert dropped.dropped.reason.startswith(reason)
