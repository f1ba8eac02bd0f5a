"""InsTag's sampling: the most complex rows first, each pass covering the tags anew."""
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.curation.coverage import tag_coverage
from synth.curation.groups import tagged
from tests.curation.naive import codes, covered, in_order, kept

TABLE = [
    ["maths"],
    ["maths", "proof"],
    ["code", "python", "maths"],
    ["code", "python", "sorting"],
    [],
    ["proof"],
    ["code"],
    ["python", "code"],
]


def test_the_toy_table_is_taken_in_the_published_order():
    choice = tag_coverage(TABLE)

    # Pass 1: three tags, then what adds sorting, then proof. Pass 2 begins with two tags.
    assert in_order(choice) == [2, 3, 1, 7, 0, 5, 6]
    assert choice.told["pass"].tolist() == [2, 1, 1, 1, 0, 2, 3, 2]


def test_the_first_pass_covers_every_tag():
    choice = tag_coverage(TABLE, most=3)

    assert in_order(choice) == [2, 3, 1]
    assert {tag for row in kept(choice) for tag in TABLE[row]} == {t for row in TABLE for t in row}


def test_each_row_left_out_says_when_its_turn_would_have_come():
    choice = tag_coverage(TABLE, most=3)

    assert choice.reason(6) == "enough: 3 are taken, this would be number 7, in pass 3"
    assert choice.reason(4) == "no_tags: a row without tags adds none"


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=4), max_size=14), st.integers(0, 15))
def test_any_table_is_taken_as_pass_after_pass_takes_it(tags: list[list[str]], most: int):
    assert in_order(tag_coverage(tags, most=most)) == covered(tags, most)


def test_a_tag_that_a_row_has_twice_counts_once():
    choice = tag_coverage([["a", "a", "a"], ["a", "b"]])

    assert in_order(choice) == [1, 0]
    assert choice.told["tags"].tolist() == [1, 2]


@pytest.mark.parametrize("kind", [pa.list_(pa.string()), pa.large_list(pa.large_string())])
def test_tags_may_be_an_arrow_column(kind: pa.DataType):
    rows = [["x"], ["a", None, "b"], None, [], [None], ["b"]]
    column = pa.chunked_array([pa.array(rows[:2], kind).slice(1), pa.array(rows[2:], kind)])

    choice = tag_coverage(column)

    assert choice.told["tags"].tolist() == [2, 0, 0, 0, 1]
    assert codes(choice) == ["", "no_tags", "no_tags", "no_tags", ""]


def test_tags_may_be_numbers_already():
    assert in_order(tag_coverage(tagged(TABLE))) == in_order(tag_coverage(TABLE))


def test_a_million_equal_rows_take_a_pass_each():
    rows = 1_000_000
    starts = pa.array(np.arange(0, 2 * rows + 1, 2, dtype=np.int32))
    column = pa.ListArray.from_arrays(starts, pa.array(np.tile(["a", "b"], rows)))

    choice = tag_coverage(column, most=10)

    assert in_order(choice) == list(range(10))
    assert choice.told["pass"][-1] == rows


def test_no_rows_are_no_trouble():
    assert kept(tag_coverage([])) == []
    assert kept(tag_coverage([[], []])) == []
    assert kept(tag_coverage([["a"]], most=0)) == []


def test_fewer_than_none_cannot_be_taken():
    with pytest.raises(ValueError, match="got -1"):
        tag_coverage([["a"]], most=-1)


def test_a_row_with_all_tags_is_in_each_pass_alone():
    tags = [["a", "b", "c"]] * 2 + [["a"], ["b"]]

    assert tag_coverage(tags).told["pass"].tolist() == [1, 2, 3, 3]
