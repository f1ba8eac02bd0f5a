"""Thinking in tags, told apart from the answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.stages.parts.reasoning import Split, split
from tests.running import not_for_ever


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("So.", Split("", "So.", finished=True)),
        ("<think>Hm.</think>So.", Split("Hm.", "So.", finished=True)),
        ("Hm.</think>\n\nSo.", Split("Hm.", "So.", finished=True)),
        ("<think>Hm.", Split("Hm.", "", finished=False)),
        ("<think>Hm.</think><think>Or?</think>So.", Split("Hm.\n\nOr?", "So.", finished=True)),
        ("</think><think>", Split("", "", finished=False)),
        ("<think>Hm.</think><thinking>Or", Split("Hm.\n\nOr", "", finished=False)),
        ("Use the tag <think> for it.", Split("", "Use the tag <think> for it.", finished=True)),
        (
            "<|begin_of_thought|>Hm.<|end_of_thought|><|begin_of_solution|>So.<|end_of_solution|>",
            Split("Hm.", "So.", finished=True),
        ),
    ],
)
def test_thinking_at_the_beginning_is_no_part_of_the_answer(text: str, parts: Split):
    assert split(text) == parts


TAGS = ["<think>", "</think>", "<thinking>", "</thinking>", "a", "\n"]


@given(st.lists(st.sampled_from(TAGS), max_size=12).map("".join))
def test_no_answer_begins_with_thinking(text: str):
    assert not split(text).answer.startswith(("<think>", "<thinking>"))


@pytest.mark.parametrize("piece", ["<think></think>", "<think>", "</think>"])
def test_any_number_of_thoughts_is_split_in_linear_time(piece: str):
    with not_for_ever():
        assert split(piece * 100_000).answer == ("" if piece != "</think>" else "</think>" * 99_999)
