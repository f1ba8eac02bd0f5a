"""The sets written for methods: each row is whole, of a known shape, and like no other."""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib import resources
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from synth import seed
from synth.record import Record

ALPACA = ("clinical", "legal", "finance", "ecommerce")
WRITTEN = (*ALPACA, "general_tasks", "code_with_tests", "math_with_answers")
ALIKE = 0.6
"""Two instructions that share so large a part of their words are nearly the same."""


def rows_of(name: str) -> list[dict[str, Any]]:
    text = resources.files("synth.seeds").joinpath(f"{name}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def records_of(name: str) -> list[Record]:
    return list(seed.records(seed.resolve([name], Path("nowhere"))))


def overlap(one: str, other: str) -> float:
    """Shared words by all words, case and marks aside."""
    words, others = (set(re.findall(r"\w+", text.lower())) for text in (one, other))
    return len(words & others) / len(words | others)


@pytest.mark.parametrize("name", [name for name in WRITTEN if name != "general_tasks"])
def test_a_set_of_a_field_has_at_least_twenty_rows(name: str):
    assert len(rows_of(name)) >= 20


@pytest.mark.parametrize("name", WRITTEN)
def test_each_line_is_one_object_in_utf_8_as_a_person_would_write_it(name: str):
    text = resources.files("synth.seeds").joinpath(f"{name}.jsonl").read_text("utf-8")

    lines = [json.dumps(row, ensure_ascii=False) for row in rows_of(name)]

    assert text == "".join(f"{line}\n" for line in lines)


def test_no_two_rows_of_the_written_sets_have_the_same_id():
    ids = Counter(row["id"] for name in WRITTEN for row in rows_of(name))

    assert [repeated for repeated, count in ids.items() if count > 1] == []


def test_no_two_instructions_within_or_across_the_shipped_sets_are_nearly_the_same():
    rows = [row for name in seed.shipped() for row in rows_of(name)]
    told = [row.get("instruction") or row["persona"] for row in rows]

    alike = [(one, other) for one, other in combinations(told, 2) if overlap(one, other) >= ALIKE]

    assert len(told) >= 180
    assert alike == []


@pytest.mark.parametrize("name", ALPACA)
def test_a_row_of_a_field_becomes_a_question_with_its_answer(name: str):
    for row, record in zip(rows_of(name), records_of(name), strict=True):
        asked = "\n\n".join(part for part in (row["instruction"], row["input"]) if part)

        assert record.instruction == asked
        assert record.reply == row["output"]


def test_a_general_task_becomes_a_conversation_of_its_first_instance():
    for row, record in zip(rows_of("general_tasks"), records_of("general_tasks"), strict=True):
        first = row["instances"][0]

        assert record.instruction.startswith(row["instruction"])
        assert record.instruction.endswith(first["input"])
        assert record.reply == first["output"]
        assert record.fields["instances"] == row["instances"]
        assert record.fields["is_classification"] is row["is_classification"]


@pytest.mark.parametrize("name", ["code_with_tests", "math_with_answers"])
def test_what_a_verifier_asks_for_stays_in_the_fields(name: str):
    for row, record in zip(rows_of(name), records_of(name), strict=True):
        assert record.fields == row
        assert record.instruction == row["instruction"]


@pytest.mark.parametrize("name", ALPACA)
def test_the_texts_of_a_field_are_trimmed_and_answered(name: str):
    for row in rows_of(name):
        texts = [row["instruction"], row["input"], row["output"]]

        assert texts == [text.strip() for text in texts]
        assert row["instruction"]
        assert row["output"]


def test_general_tasks_are_sixty_or_more_under_names_of_their_own():
    names = [row["name"] for row in rows_of("general_tasks")]

    assert len(names) >= 60
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_]+", name) for name in names)


def test_each_instance_of_a_general_task_is_trimmed_answered_and_asked_once():
    for row in rows_of("general_tasks"):
        inputs = [instance["input"] for instance in row["instances"]]
        texts = [text for instance in row["instances"] for text in instance.values()]

        assert all(set(instance) == {"input", "output"} for instance in row["instances"])
        assert all(instance["output"] for instance in row["instances"])
        assert texts == [text.strip() for text in texts]
        assert len(set(inputs)) == len(inputs) > 0


def test_fifteen_or_more_general_tasks_are_classification_and_show_at_least_two_labels():
    asked = [row for row in rows_of("general_tasks") if row["is_classification"]]

    assert len(asked) >= 15
    for row in asked:
        labels = [instance["output"] for instance in row["instances"]]
        assert all(len(label.split()) <= 3 for label in labels), row["name"]
        assert len(set(labels)) >= 2, row["name"]
