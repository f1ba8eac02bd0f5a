"""Final answers: found where a reply marks them, equal where they mean the same."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth import Answer
from tests.running import not_for_ever


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("Answer: 5", "5"),
        ("**Answer:** Paris.", "Paris"),
        ("### Final answer: 5 km", "5 km"),
        ("The answer is 5. It took long.", "5"),
        ("#### 5", "5"),
        (r"\boxed{\frac{1}{2}}", r"\frac{1}{2}"),
        ("Answer:\n\n5", "5"),
        ("A: 5", "5"),
        ('Answer: "5"', "5"),
        ("答え is 5\nAnswer：5", "5"),
        (r"Answer: $\boxed{5}$", "5"),
    ],
)
def test_a_marked_answer_is_found_without_its_mark(reply: str, answer: str):
    found = Answer.marked_in(reply)

    assert found is not None
    assert found.text == answer


@pytest.mark.parametrize("reply", ["5", "Answers vary.", "A: 5\nB: 6", "A is the centre.", ""])
def test_what_marks_no_answer_has_none(reply: str):
    assert Answer.marked_in(reply) is None


def test_an_answer_without_a_mark_is_the_last_line():
    assert Answer.last_in("First.\n\n**Paris.**\n\n").text == "Paris"
    assert Answer.last_in("\n").text == ""


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1,234.5", Fraction(2469, 2)),
        ("$1,000,000", 10**6),
        ("3/4", Fraction(3, 4)),
        (r"\dfrac{3}{4}", Fraction(3, 4)),
        ("-1.8 billion", -1_800_000_000),
        ("−7", -7),
        ("2 × 9 = 18", 18),
        ("18 dollars for 3 days", 18),
        (".5", Fraction(1, 2)),
        ("3,5", None),
        ("1,00", None),
        ("3 or 4", None),
        ("10-12", None),
        ("x", None),
        ("", None),
        ("1/0", None),
    ],
)
def test_a_number_is_read_in_one_way_or_not_at_all(written: str, number: Fraction | int | None):
    assert Answer(written).number == number


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("18.0 km", "18", True),
        ("0.5", "1/2", True),
        ("The Eiffel Tower", "eiffel tower.", True),
        ("x + 1", "x+1", True),
        ("x + 1", "x - 1", False),
        ("(1, 2)", "[1, 2]", False),
        ("C++", "C", False),
        ("yes", "no", False),
        ("10 000", "1e4", True),
        ("2x", "2", False),
    ],
)
def test_equal_answers_have_equal_keys(one: str, other: str, *, same: bool):
    assert (Answer(one).key == Answer(other).key) == same


@given(st.text())
def test_any_reply_can_be_read(reply: str):
    found = Answer.marked_in(f"Answer: {reply}")

    assert found is not None
    assert isinstance(found.key, str)


@pytest.mark.parametrize(
    "piece", ["<think>", "</", r"\boxed{", "= ", "=,", "answer ", "1 000", "{", " "]
)
def test_a_long_reply_is_read_in_no_time(piece: str):
    reply = "Answer: " + piece * (300_000 // len(piece))

    with not_for_ever():
        found = Answer.marked_in(reply)

        assert found is None or found.number is None


def test_a_factorial_in_a_box_does_not_count_as_its_number():
    factorial = Answer.marked_in(r"\boxed{5!}")

    assert factorial is not None
    assert factorial.number is None
    assert factorial.key != Answer("5").key
