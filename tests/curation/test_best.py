"""The best rows by a score: ties, NaN, groups, and the orders that were published."""
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.curation.best import quota, threshold, top
from tests.curation.naive import codes, few_scores, in_order, kept, sorted_rows

NAN = math.nan
groups_of_rows = st.sampled_from(["law", "medicine", None])


def superfiltered(ratios: list[float], share: float, of: int) -> list[int]:
    """Return the rows that the authors' script takes: NaN lowest, a stable sort, downward."""
    keys = [(0, 0.0) if math.isnan(ratio) else (1, ratio) for ratio in ratios]
    order = sorted(range(len(ratios)), key=lambda row: keys[row], reverse=True)
    return order[: int(of * share)]


def test_superfiltering_sorts_downward_with_nan_last_and_ties_by_position():
    ratios = [0.4, NAN, 0.9, 0.4, 0.7, NAN, 0.9]

    choice = top(ratios, share=0.6)

    assert in_order(choice) == [2, 6, 4, 0] == superfiltered(ratios, 0.6, 7)
    assert choice.rank.tolist() == [4, 6, 1, 5, 3, 7, 2]


def test_cherry_sorts_pairs_upward_and_takes_the_end():
    ratios = [0.4, 0.9, 0.4, 0.7, 0.9, 0.4]
    taken = sorted((ratio, row) for row, ratio in enumerate(ratios))[-int(6 * 0.67) :]

    choice = top(ratios, share=0.67, ties="last")

    assert kept(choice) == sorted(row for _, row in taken) == [1, 3, 4, 5]


@pytest.mark.parametrize(
    ("rows", "share", "expected"), [(52002, 0.05, 2600), (100, 0.29, 28), (3, 1.0, 3), (9, 0.0, 0)]
)
def test_a_share_is_rounded_down_as_the_scripts_do(rows: int, share: float, expected: int):
    assert top(np.zeros(rows), share=share).kept.sum() == expected


@given(few_scores, st.integers(0, 12), st.booleans())
def test_the_top_is_the_start_of_a_stable_sort(scores: list[float], k: int, lowest: bool):
    order = sorted_rows(scores, lowest=lowest)

    choice = top(scores, k=k, ascending=lowest)

    assert in_order(choice) == order[:k]
    assert [order[rank - 1] for rank in choice.rank] == list(range(len(scores)))


@given(st.lists(st.tuples(st.sampled_from([1.0, 2.0, NAN]), groups_of_rows)), st.floats(0, 1))
def test_a_share_of_each_group_is_that_groups_top(rows: list[tuple[float, str]], share: float):
    scores, groups = [score for score, _ in rows], [group for _, group in rows]

    choice = top(scores, share=share, groups=pa.array(groups, pa.string()))

    for group in set(groups):
        members = [row for row, one in enumerate(groups) if one == group]
        alone = top([scores[row] for row in members], share=share)
        assert choice.kept[members].tolist() == alone.kept.tolist()
        assert choice.rank[members].tolist() == alone.rank.tolist()


def test_rows_without_a_score_are_kept_when_nothing_else_is_left():
    assert kept(top([NAN, 2, NAN, 1], k=3)) == [0, 1, 3]
    assert kept(top([NAN, NAN], k=1)) == [0]


def test_each_row_left_out_says_why():
    choice = top([3, NAN, 5, 1], k=1, groups=["a", "a", "a", "b"])

    assert [choice.reason(row) for row in range(4)] == [
        "outranked: number 2 of 3 in a with a score of 3; only the first 1 are kept",
        "not_scored: number 3 of 3 in a; only the first 1 are kept",
        "",
        "",
    ]


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"at_most": 1}, [0, 1, 2, 4]),  # Cherry
        ({"below": 1}, [0, 1, 4]),  # Superfiltering
        ({"at_least": 0.5, "below": 1}, [1]),
        ({"above": 0.5}, [2, 3, 5]),
        ({}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_a_threshold_keeps_what_is_within_all_bounds(bounds: dict[str, float], expected: list[int]):
    scores = [0.1, 0.5, 1.0, 1.0000001, -math.inf, math.inf, NAN]

    assert kept(threshold(scores, **bounds)) == [row for row in expected if row < 6]


def test_a_threshold_tells_which_bound_a_row_broke():
    choice = threshold([4.4, 4.5, 6, NAN], at_least=4.5, below=6)

    assert codes(choice) == ["too_low", "", "too_high", "not_scored"]
    assert choice.reason(0) == "too_low: 4.4 where at least 4.5 is wanted"


def test_a_quota_takes_the_best_of_each_group():
    groups = ["law", "law", "medicine", "law", "medicine", None, "art"]
    scores = [1, 3, 2, 2, NAN, 9, 9]

    choice = quota(groups, {"law": 2, "medicine": 0.5, None: 1}, scores=scores)

    assert kept(choice) == [1, 2, 3, 5]
    assert codes(choice) == ["outranked", "", "", "", "not_scored", "", "no_quota"]


def test_a_quota_without_scores_takes_the_first():
    assert kept(quota(["a", "b", "a", "a", "b"], {"a": 2}, others=1)) == [0, 1, 2]


def test_shares_of_a_total_make_a_mix():
    groups = ["a"] * 60 + ["b"] * 60

    choice = quota(groups, {"a": 0.25, "b": 0.75}, total=40)

    assert (choice.kept[:60].sum(), choice.kept[60:].sum()) == (10, 30)


@pytest.mark.parametrize(
    "groups", [[1, 2, 1], np.array([1, 2, 1]), pa.chunked_array([[1, 2], [1]])]
)
def test_groups_may_be_a_sequence_an_array_or_an_arrow_column(groups: object):
    assert kept(quota(groups, {1: 1, 2: 1})) == [0, 1]
    assert kept(top([1, 2, 3], k=1, groups=groups)) == [1, 2]


def test_groups_may_be_coded_already():
    coded = pa.array(["a", None, "a"]).dictionary_encode()

    assert kept(quota(coded, {"a": 1, None: 1})) == [0, 1]


def test_no_rows_are_no_trouble():
    chosen = [top([], k=3), top([], share=1), quota([], {"a": 1}), threshold([], above=1)]

    assert [len(choice.kept) for choice in chosen] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: top([1.0]), "either k or share"),
        (lambda: top([1.0], k=1, share=0.5), "either k or share"),
        (lambda: top([1.0], k=-1), "got -1"),
        (lambda: top([1.0], share=1.1), "between 0 and 1, got 1.1"),
        (lambda: top([1.0], share=NAN), "between 0 and 1"),
        (lambda: top([[1.0]], k=1), "shape"),
        (lambda: top([1.0], k=1, groups=["a", "b"]), "each of the 1 rows, got 2"),
        (lambda: quota(["a"], {"a": -1}), "got -1"),
        (lambda: quota(["a"], {"a": 1.5}), "between 0 and 1, got 1.5"),
        (lambda: quota(["a"], {"a": 1}, scores=[1, 2]), "scores"),
    ],
)
def test_a_request_that_makes_no_sense_says_what_is_wanted(wrong, told: str):
    with pytest.raises(ValueError, match=told):
        wrong()
