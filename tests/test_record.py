"""Ids that are the same everywhere, and what a record can hold."""

from __future__ import annotations

import datetime
import math
import os
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from synth.record import Judgement, Message, Record, Verdict, canonical, digest
from tests.running import question

MAKE_IDS = """
from synth.record import Message, Record
seed = Record.seed({"topic": "ключ 🔑", "n": {"b": 1, "a": [2.5, None]}},
                   [Message(role="user", content="Why?")], number=3)
print(seed.id, seed.child("draft", 1).id, seed.content)
"""


def test_ids_are_the_same_in_every_process_and_for_every_hash_seed():
    # Other ids would make every kept run worthless: change them only on purpose.
    printed = {
        subprocess.run(
            [sys.executable, "-c", MAKE_IDS],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }

    assert printed == {"209ecb75d3d3e7ec 77d029c54650740c 709b2b07c845c5ab\n"}


def test_the_order_of_fields_does_not_change_a_seed():
    there = Record.seed({"a": 1, "b": {"x": 1, "y": 2}})

    back = Record.seed({"b": {"y": 2, "x": 1}, "a": 1})

    assert back.id == there.id
    assert back.content == there.content


def test_seeds_of_equal_content_differ_by_their_occurrence():
    first, second = (Record.seed({"a": 1}, occurrence=n) for n in (0, 1))

    assert first.id != second.id
    assert first.content == second.content


def test_the_number_of_a_seed_is_its_position_and_no_part_of_its_id():
    early, late = Record.seed({"a": 1}, number=0), Record.seed({"a": 1}, number=7)

    assert (early.position, late.position) == ((0,), (7,))
    assert early.id == late.id


def test_a_child_knows_its_parent_its_family_and_its_place():
    seed = question(number=4)

    grandchild = seed.child("draft", 2).child("critique", 0)

    assert grandchild.parents == (seed.child("draft", 2).id,)
    assert grandchild.family == seed.id
    assert grandchild.position == (4, 2, 0)


def test_a_child_inherits_what_it_is_not_given():
    seed = Record.seed({"topic": "sky"}, [Message(role="user", content="Why?")])

    child = seed.child("draft", 0, fields={"level": 3})

    assert child.fields == {"topic": "sky", "level": 3}
    assert child.messages == seed.messages
    assert seed.fields == {"topic": "sky"}


def test_a_child_starts_without_the_judgements_of_its_parent():
    judged = question().judged(Judgement("verify", "length", "length", "1", Verdict.passed()))

    child = judged.child("draft", 0)

    assert (child.judgements, child.state, child.dropped) == ((), "live", None)


def test_children_differ_by_stage_number_and_further_parents():
    seed, other = question("a"), question("b")

    children = [
        seed.child("draft", 0),
        seed.child("draft", 1),
        seed.child("final", 0),
        seed.child("draft", 0, parents=[other]),
        other.child("draft", 0),
    ]

    assert len({child.id for child in children}) == 5
    assert children[3].parents == (seed.id, other.id)


def test_a_border_between_the_parts_of_a_digest_counts():
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("a", "") != digest("a")


def test_a_verdict_does_not_change_the_content_that_it_is_kept_under():
    seed = question()
    content = seed.content

    judged = seed.judged(Judgement("verify", "length", "length", "1", Verdict.passed()))

    assert judged.content == content
    assert judged.drop("verdict", by="length", reason="too_short").content == content


def test_other_words_are_other_content():
    seed = question("a")

    child = seed.child("draft", 0, messages=[Message(role="user", content="b")])

    assert seed.content != child.content


def test_a_record_is_the_same_after_a_journey_to_another_process():
    judged = question().judged(
        Judgement("verify", "length", "length", "1", Verdict.failed("too_short", "3 words"))
    )
    dropped = judged.drop("verdict", by="length", reason="too_short: 3 words")

    again = pickle.loads(pickle.dumps(dropped))  # noqa: S301 (our own bytes)

    assert again == dropped
    assert again.content == dropped.content


def test_a_parent_keeps_its_judgements_and_is_no_drop():
    judged = question().judged(Judgement("verify", "length", "length", "1", Verdict.passed()))

    parent = judged.as_parent()

    assert (parent.state, parent.dropped, parent.judgements) == ("parent", None, judged.judgements)


def test_a_record_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        setattr(question(), "id", "other")  # noqa: B010 (what a careless plugin would do)


@pytest.mark.parametrize(
    ("fields", "messages", "instruction", "reply"),
    [
        ({}, [], "", ""),
        ({"question": "Q?"}, [], "Q?", ""),
        ({"instruction": "I", "question": "Q?"}, [], "I", ""),
        ({"instruction": 5, "prompt": "P"}, [], "P", ""),
        ({"instruction": "I"}, [("user", "U")], "U", ""),
        ({}, [("user", "U"), ("assistant", "A")], "U", "A"),
        ({}, [("user", "U"), ("assistant", "A"), ("user", "V")], "V", ""),
        ({"instruction": "I"}, [("system", "S")], "I", ""),
    ],
)
def test_instruction_and_reply_are_the_last_turns(
    fields: dict[str, Any], messages: list[tuple[str, str]], instruction: str, reply: str
):
    record = Record.seed(fields, [Message(role=role, content=text) for role, text in messages])

    assert (record.instruction, record.reply) == (instruction, reply)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("around", ["{}", "[{}]", "null and {}"])
def test_canonical_refuses_what_no_json_reader_would_give_back(number: float, around: str):
    value = {"{}": number, "[{}]": [{"deep": [number]}], "null and {}": [None, number]}[around]

    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical(value)


@pytest.mark.parametrize(
    "value", [{1, 2}, object(), b"bytes", datetime.date(2026, 1, 1), question()]
)
def test_canonical_refuses_what_json_cannot_hold(value: object):
    with pytest.raises(TypeError):
        canonical([value])


def test_canonical_writes_equal_values_as_equal_text():
    assert canonical({"b": (1, 2), "a": None}) == canonical({"a": None, "b": [1, 2]})
    assert canonical({"ü": ["🔑", "\u2028", "\x00"]}) == '{"ü":["🔑","\u2028","\\u0000"]}'


def test_canonical_keeps_numbers_that_are_larger_than_a_machine_word():
    assert canonical([2**64, -(10**40), 0.1]) == f"[{2**64},-1{'0' * 40},0.1]"


def test_canonical_can_hold_deeply_nested_values():
    value: Any = "core"
    for _ in range(500):
        value = [value]

    assert canonical(value) == "[" * 500 + '"core"' + "]" * 500


@pytest.mark.parametrize("score", [math.nan, math.inf])
def test_a_verdict_refuses_a_score_that_is_no_number(score: float):
    with pytest.raises(ValueError, match="must be finite"):
        Verdict.passed(score=score)


def test_a_verdict_is_the_same_after_it_was_written():
    verdict = Verdict.failed("too_short", "3 words", score=0.5, evidence={"words": 3})

    assert Verdict(**verdict.as_json()) == verdict
    assert verdict.reason == "too_short: 3 words"
