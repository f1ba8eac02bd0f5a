"""The question of a conversation, and the same conversation with other words."""

from __future__ import annotations

import pytest

from synth.record import Message, Record
from synth.stages.parts.conversation import asking, question_of, with_system


def turns(*said: str) -> tuple[Message, ...]:
    """Return turns, each written as its role and its words."""
    return tuple(
        Message(role=role, content=words) for role, _, words in (one.partition(" ") for one in said)
    )


@pytest.mark.parametrize(
    ("said", "question"),
    [
        (("user a", "assistant b"), ("user a",)),
        (("user a", "assistant b", "user c"), ("user a", "assistant b", "user c")),
        (("system s",), ("system s", "user Why?")),
        ((), ("user Why?",)),
    ],
)
def test_the_question_is_all_that_a_reply_would_follow(
    said: tuple[str, ...], question: tuple[str, ...]
):
    record = Record.seed({"instruction": "Why?"}, turns(*said))

    assert question_of(record) == turns(*question)


def test_a_record_that_asks_nothing_has_no_question():
    assert question_of(Record.seed({}, turns("system s"))) == ()


def test_another_question_takes_the_place_of_the_last_one_and_what_followed():
    asked = asking(turns("user a", "assistant b", "user c", "assistant d"), "e")

    assert asked == turns("user a", "assistant b", "user e")


def test_a_system_turn_is_added_or_made_longer():
    assert with_system(turns("user a"), "s") == turns("system s", "user a")
    assert with_system(turns("system r", "user a"), "s")[0]["content"] == "r\n\ns"
