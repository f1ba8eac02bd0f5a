"""Known shapes become messages; what cannot be a seed says why."""

from __future__ import annotations

import json
from typing import Any

import pytest

from synth.seed.shapes import shaped
from synth.seed.values import RowError

USER = {"role": "user", "content": "Hi"}
ASSISTANT = {"role": "assistant", "content": "Ho"}
SYSTEM = {"role": "system", "content": "Sing."}
TURNS = [USER, ASSISTANT]
SHAREGPT = [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    ("row", "messages", "fields"),
    [
        ("Hi", [USER], {}),
        ({"messages": TURNS, "prompt": "Hi"}, TURNS, {"prompt": "Hi"}),
        ({"messages": '[{"role": "user", "content": "Hi"}]'}, [USER], {}),
        ({"messages": None, "instruction": "Hi", "output": "Ho"}, TURNS, {"messages": None}),
        ({"conversations": SHAREGPT, "id": "7"}, TURNS, {"id": "7"}),
        ({"conversation": TURNS}, TURNS, {}),
        ({"instruction": "Hi", "input": "", "output": "Ho"}, TURNS, {}),
        ({"instruction": "Hi", "output": " "}, [USER], {}),
        ({"instruction": "Hi", "output": None}, [USER], {}),
        ({"prompt": "Hi", "response": "Ho", "n": 1}, TURNS, {"n": 1}),
        ({"instruction": "Hi", "response": "Ho"}, TURNS, {}),
        ({"prompt": [USER], "completion": [ASSISTANT]}, TURNS, {}),
        ({"prompt": [USER], "completion": []}, [USER], {}),
        ({"instruction": "Hi", "context": "", "response": "Ho"}, TURNS, {"context": ""}),
        ({"instruction": "Hi", "context": ["a"], "response": "Ho"}, TURNS, {"context": ["a"]}),
        ({"prompt": json.dumps([USER]), "completion": json.dumps([ASSISTANT])}, TURNS, {}),
        ({"prompt": "Hi", "system": "Sing.", "response": "Ho"}, [SYSTEM, *TURNS], {}),
        ({"conversations": SHAREGPT, "system": "Sing."}, [SYSTEM, *TURNS], {}),
        ({"messages": TURNS, "system_prompt": "Sing."}, [SYSTEM, *TURNS], {}),
        ({"messages": TURNS, "system": " "}, TURNS, {"system": " "}),
        ({"messages": TURNS, "system": 5}, TURNS, {"system": 5}),
        ({"messages": [SYSTEM, USER], "system": "Hum."}, [SYSTEM, USER], {"system": "Hum."}),
        ({"instruction": "Hi"}, [USER], {}),
        ({"prompt": "Hi"}, [USER], {}),
        ({"question": "Hi"}, [USER], {}),
    ],
)
def test_a_known_shape_becomes_messages_and_the_rest_fields(row: Any, messages: Any, fields: Any):
    found = shaped(row)

    assert list(found.messages) == messages
    assert found.fields == fields


@pytest.mark.parametrize("about", ["input", "context"])
@pytest.mark.parametrize("told", ["output", "response", "completion"])
def test_what_an_instruction_is_about_stands_in_its_turn(about: str, told: str):
    found = shaped({"instruction": "Sum up.", about: "A long tale.", told: "A tale."})

    assert [turn["content"] for turn in found.messages] == ["Sum up.\n\nA long tale.", "A tale."]
    assert found.fields == {"instruction": "Sum up.", about: "A long tale."}


@pytest.mark.parametrize(
    "row",
    [
        {"question": "1+1?", "answer": "2"},
        {"instruction": "Sum up.", "context": "A long tale."},
        {"prompt": "Hi", "chosen": "Ho", "rejected": "Hm"},
        {"instruction": "Hi", "topic": "greetings"},
        {"instruction": 3},
        {"text": "Hi"},
    ],
)
def test_columns_of_no_known_shape_stay_fields(row: dict[str, Any]):
    assert shaped(row) == (row, ())


def test_an_alpaca_input_follows_the_instruction_after_a_blank_line():
    found = shaped({"instruction": "Add.", "input": "1, 2", "output": "3"})

    assert [message["content"] for message in found.messages] == ["Add.\n\n1, 2", "3"]
    assert found.fields == {"instruction": "Add.", "input": "1, 2"}


def test_an_alpaca_row_without_input_leaves_nothing_over():
    assert shaped({"instruction": "Add.", "input": " ", "output": "3"}).fields == {}


def test_the_first_instance_of_self_instruct_makes_the_messages_and_all_stay():
    instances = [{"input": "1, 2", "output": "3"}, {"input": "2, 2", "output": "4"}]

    found = shaped({"id": "t0", "instruction": "Add.", "instances": instances})

    assert [message["content"] for message in found.messages] == ["Add.\n\n1, 2", "3"]
    assert found.fields == {"id": "t0", "instruction": "Add.", "instances": instances}


def test_self_instruct_without_an_instance_is_its_instruction():
    assert shaped({"instruction": "Hi", "instances": []}).messages == (USER,)


def test_a_turn_keeps_tools_names_and_reasoning_and_nothing_else():
    found = shaped(
        {
            "messages": [
                {"role": "user", "content": "Hi", "name": "Ann", "weight": 1, "tool_calls": None},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [CALL],
                    "reasoning_content": "Hm",
                },
                {"role": "tool", "content": "42", "tool_call_id": "c1"},
            ]
        }
    )

    assert found.messages == (
        {**USER, "name": "Ann"},
        {"role": "assistant", "content": "", "tool_calls": [CALL], "reasoning": "Hm"},
        {"role": "tool", "content": "42", "tool_call_id": "c1"},
    )


def test_text_parts_are_joined():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]

    assert shaped({"messages": [{"role": "user", "content": parts}]}).messages == (
        {"role": "user", "content": "a\nb"},
    )


@pytest.mark.parametrize("role", ["system", "developer", "System"])
def test_roles_have_one_spelling(role: str):
    assert shaped({"messages": [{"role": role, "content": "x"}]}).messages[0]["role"] == "system"


def _chat(**turn: Any) -> dict[str, Any]:
    return {"messages": [turn]}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (7, "not_an_object: wanted an object or a text, found a number"),
        (["Hi"], "not_an_object: wanted an object or a text, found a list"),
        (None, "not_an_object: wanted an object or a text, found null"),
        ("  ", "empty_row: the text is empty"),
        ({}, "empty_row: the row has no columns"),
        ({"question": ""}, "empty_row: the question is empty"),
        ({"instruction": "", "output": "Ho"}, "empty_row: the instruction is empty"),
        ({"messages": []}, "no_messages: 'messages' is empty"),
        ({"messages": None}, "no_messages: the column of the messages is null"),
        ({"messages": "Hi"}, "no_messages: wanted a list of turns as 'messages', found a text"),
        ({"conversations": ["Hi"]}, "no_messages: turn 1 is a text, wanted an object"),
        (_chat(role="judge", content="x"), "unknown_role: turn 1 has the role 'judge'; known: "),
        (_chat(content="x"), "unknown_role: turn 1 has the role None"),
        (_chat(role="user"), "content_not_text: turn 1 holds null, wanted text"),
        (_chat(role="user", content=3), "content_not_text: turn 1 holds a number"),
        (_chat(role="user", content=[]), "content_not_text: turn 1 holds a list"),
        (
            _chat(role="user", content=[{"type": "image_url"}]),
            "content_not_text: turn 1 has a part 'image_url', wanted 'text'",
        ),
        (
            _chat(role="assistant", content="", tool_calls="f()"),
            "wrong_type: turn 1: wanted a list",
        ),
        (
            {"prompt": "Hi", "response": 3},
            "content_not_text: wanted text in 'response', found a nu",
        ),
        ({"instruction": {}, "output": "x"}, "content_not_text: wanted text in 'instruction', fou"),
        ({"instruction": "Hi", "instances": 3}, "wrong_type: wanted a list of objects as 'instanc"),
    ],
)
def test_an_unusable_row_says_why(row: Any, reason: str):
    with pytest.raises(RowError) as caught:
        shaped(row)

    assert str(caught.value).startswith(reason)


def test_nested_text_that_only_looks_like_turns_is_told_and_not_a_crash():
    with pytest.raises(RowError, match="found a text"):
        shaped({"messages": "[" * 100_000})


def test_a_log_that_breaks_after_a_round_keeps_what_can_be_read_and_says_why():
    log = [*SHAREGPT, {"from": "judge", "value": "x"}]

    found = shaped({"conversations": log, "id": "7"})

    assert list(found.messages) == TURNS
    assert found.fields["broken_turn"].startswith(
        f"unknown_role: turn {len(log)} has the role 'judge'"
    )
    assert found.fields["conversations"] == log


def test_a_curated_chat_or_a_log_without_a_round_before_the_break_is_refused_whole():
    broken = {"from": "gpt", "value": None}

    with pytest.raises(RowError, match="content_not_text: turn 2"):
        shaped({"conversations": [{"from": "human", "value": "x"}, broken]})
    with pytest.raises(RowError, match="content_not_text: turn 3"):
        shaped({"messages": [*TURNS[-2:], broken]})
