"""Replies come in every form; what is in them is found, or what is wrong is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from synth.errors import CallFailed
from synth.stages.parts.replies import (
    MalformedError,
    choice_in,
    failed_child,
    json_in,
    listed,
    malformed_child,
    number_in,
    sections,
    tagged,
)
from synth.stages.parts.shipped import shipped_prompts
from tests.running import not_for_ever, question, services


async def test_a_malformed_reply_is_a_dropped_child_that_carries_it(tmp_path: Path):
    async with services(tmp_path, label="make") as given:
        child = malformed_child(question(), given, 2, "what?", "no_list: wanted a list")

    assert (child.position, child.state) == ((0, 2), "dropped")
    assert child.fields["raw_reply"] == "what?"
    assert child.dropped is not None
    assert (child.dropped.kind, child.dropped.reason) == ("filter", "no_list: wanted a list")


async def test_a_failed_call_is_a_dropped_child_with_the_engines_reason(tmp_path: Path):
    async with services(tmp_path, label="make") as given:
        child = failed_child(question(), given, 0, CallFailed("too_long: the prompt"))

    assert child.dropped is not None
    assert (child.dropped.kind, child.dropped.by) == ("error", "make")
    assert child.dropped.reason == "too_long: the prompt"


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("1. One\n2. Two", ["One", "Two"]),
        ("Here you are:\n\n1) One\n   and more\n\n2) Two\n", ["One\n   and more", "Two"]),
        ("- a\n* b\n• c", ["a", "b", "c"]),
        ("1. It is 2.50 and\n20.5 is more\n2. Two", ["It is 2.50 and\n20.5 is more", "Two"]),
        ("1. \n2. Two", ["Two"]),
    ],
)  # fmt: skip
def test_a_list_is_read(text: str, items: list[str]):
    assert listed(text) == items


def test_no_list_is_malformed():
    with pytest.raises(MalformedError, match=r"^no_list"):
        listed("I would rather not. 1.5 reasons: none")


@pytest.mark.parametrize(
    "text",
    [
        "Question: Why?\nAnswer: Because.\nIt is so.",
        "Sure!\n\n**Question:** Why?\n\n### Answer: Because.\nIt is so.",
        "question : Why?\nANSWER:\nBecause.\nIt is so.\n",
    ],
)
def test_sections_are_read(text: str):
    assert sections(text, ("Question", "Answer")) == {
        "Question": "Why?",
        "Answer": "Because.\nIt is so.",
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Question: Why?", "missing_section: .*'Answer:'"),
        ("Answer: Because.\nQuestion: Why?", "missing_section: .*'Answer:'"),
        ("Question:\nAnswer: Because.", "empty_section: .*'Question:'"),
        ("The question: why?", "missing_section: .*'Question:'"),
    ],
)
def test_sections_that_are_not_there_are_named(text: str, reason: str):
    with pytest.raises(MalformedError, match=f"^{reason}"):
        sections(text, ("Question", "Answer"))


def test_tags_are_read():
    assert tagged("<a> one </a> and <b>no</b> <a>two\nlines</a>", "a") == ["one", "two\nlines"]

    with pytest.raises(MalformedError, match=r"^missing_tag: wanted <c>"):
        tagged("<c>never closed", "c")


@pytest.mark.parametrize(
    "text",
    [
        '{"a": [1]}',
        'Here:\n```json\n{"a": [1]}\n```\nDone.',
        'The answer is {"a": [1]}. I hope it helps.',
    ],
)
def test_json_is_found(text: str):
    assert json_in(text) == {"a": [1]}


@pytest.mark.parametrize("text", ["", "none", '{"a": ', '{"a": NaN}', "[" * 100_000])
def test_no_json_is_malformed(text: str):
    with pytest.raises(MalformedError, match=r"^not_json"):
        json_in(text)


@pytest.mark.parametrize("text", ["4", "Rating: 4", "**4/5**", "I give it 4 out of 5. So: 4"])
def test_a_rating_is_read(text: str):
    assert number_in(text, 1, 5) == 4


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "no_number"), ("N/A", "no_number"), ("3 or 4", "no_number"), ("7", "out_of_range"),
     ("-1", "out_of_range"), ("90%", "no_number")],
)  # fmt: skip
def test_a_rating_that_is_none_is_no_number_at_all(text: str, code: str):
    with pytest.raises(MalformedError, match=f"^{code}"):
        number_in(text, 1, 5)


def test_a_choice_is_read():
    assert choice_in("It is **Code**.", ("math", "code")) == "code"
    assert choice_in("computer science", ("science", "computer science")) == "computer science"


@pytest.mark.parametrize("text", ["", "encoded", "math and code"])
def test_no_clear_choice_is_malformed(text: str):
    with pytest.raises(MalformedError, match=r"^no_choice"):
        choice_in(text, ("math", "code"))


def test_a_stage_without_prompts_of_its_own_has_none():
    found: Any = shipped_prompts("no such stage")

    assert found == {}


@pytest.mark.parametrize(
    "read",
    [
        lambda: number_in("a\n" + " " * 200_000 + "b 4 /5", 1, 5),
        lambda: sections("a\n" + " " * 200_000 + "b\nQuestion: why?", ["Question"]),
        lambda: json_in("```x\n" * 30_000 + '{"a": 1}'),
    ],
)
def test_degenerate_replies_are_read_in_no_time(read: Callable[[], object]):
    with not_for_ever():
        assert read()
