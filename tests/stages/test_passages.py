"""Where a document is cut, and that a passage is what stands there."""

from __future__ import annotations

import pytest

from synth.stages.parts.passages import Passage, passages_of, words_in

GUIDE = """# Guide

Words before any section.

## First

One two three four five six. Seven eight nine ten eleven twelve.

## Second

Thirteen fourteen fifteen sixteen. Seventeen eighteen nineteen twenty.
"""


def cut(text: str, most: int, overlap: int = 0) -> list[Passage]:
    return passages_of(text, document="guide", most_words=most, overlap_words=overlap)


def texts(passages: list[Passage]) -> list[str]:
    return [passage.text for passage in passages]


def test_a_short_document_is_one_passage_under_its_common_heading():
    (passage,) = cut(GUIDE, 200)

    assert passage == Passage("guide", 0, "Guide", GUIDE.strip())


def test_a_passage_ends_before_a_heading_once_it_is_large_enough():
    passages = cut(GUIDE, 20)

    assert [passage.heading for passage in passages] == [
        "Guide",
        "Guide > First",
        "Guide > Second",
    ]
    assert [passage.number for passage in passages] == [0, 1, 2]
    assert passages[1].text.startswith("## First\n\nOne two")


@pytest.mark.parametrize("most", [5, 8, 12, 20, 50])
@pytest.mark.parametrize("overlap", [0, 4])
def test_each_passage_stands_in_the_document_and_none_is_too_long(most: int, overlap: int):
    passages = cut(GUIDE, most, overlap)

    assert all(passage.text in GUIDE for passage in passages)
    assert max(words_in(passage.text) for passage in passages) <= most
    kept = " ".join(texts(passages))
    assert [word for word in GUIDE.split() if word not in kept] == []


def test_a_long_paragraph_is_cut_between_sentences_and_not_after_an_abbreviation():
    text = "It was Dr. Weiss who came. He took 2.5 mg, i.e. half. Then he left at once."

    assert texts(cut(text, 6)) == [
        "It was Dr. Weiss who came.",
        "He took 2.5 mg, i.e. half.",
        "Then he left at once.",
    ]


def test_a_sentence_that_is_too_long_is_cut_between_words():
    assert texts(cut("one two three four five", 2)) == ["one two", "three four", "five"]


def test_rows_of_a_table_and_items_of_a_list_stay_whole():
    table = "| Drug | Dose. For whom |\n|---|---|\n| A | 5 mg. Adults |\n| B | 7 mg. Adults |"
    items = "- Rest the leg\n- Cool it with ice\n- Raise it above the heart"

    assert texts(cut(table, 8)) == [
        "| Drug | Dose. For whom |\n|---|---|",
        "| A | 5 mg. Adults |",
        "| B | 7 mg. Adults |",
    ]
    assert texts(cut(items, 6)) == [
        "- Rest the leg",
        "- Cool it with ice",
        "- Raise it above the heart",
    ]


def test_a_text_without_spaces_is_counted_by_characters_and_cut_between_sentences():
    passages = cut("高血压是常见病。" * 4, 18)

    assert texts(passages) == ["高血压是常见病。" * 2] * 2
    assert words_in("高血压 mmHg 90") == 5


def test_a_line_that_begins_with_a_number_sign_inside_code_is_no_heading():
    text = "# Guide\n\n```\n# a comment\nrun it\n```\n"

    (passage,) = cut(text, 100)

    assert passage.heading == "Guide"


def test_a_heading_may_be_underlined():
    text = "Guide\n=====\n\nBefore.\n\nPart\n----\n\nWithin the part."

    assert [passage.heading for passage in cut(text, 4)][-1] == "Guide > Part"


def test_what_is_cut_repeats_the_last_sentences_of_the_passage_before():
    text = "One two three. Four five six. Seven eight nine."

    assert texts(cut(text, 6)) == ["One two three. Four five six.", "Seven eight nine."]
    assert texts(cut(text, 6, 3))[1] == "Four five six. Seven eight nine."


def test_a_passage_that_begins_at_a_heading_repeats_nothing():
    assert cut(GUIDE, 20, 10)[2].text.startswith("## Second")


@pytest.mark.parametrize("text", ["", " \n\t\n", "# Only a heading\n\n## And another"])
def test_a_document_without_text_has_no_passages(text: str):
    assert cut(text, 100) == []


def test_odd_layouts_cost_no_more_than_their_length():
    odd = ["word " * 20_000, "\n" * 50_000 + "x", " " * 50_000 + "\nx", "#" * 50_000]

    assert [len(cut(text, 1000)) for text in odd] == [20, 1, 1, 1]
