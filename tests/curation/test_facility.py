"""Facility location picks what plain greedy search picks, and stands for all rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.curation.best import top
from synth.curation.facility import facility_location
from tests.curation.naive import in_order, kept, on_a_grid, similarities

TOLERANCE = 1e-7
SUBMODLIB = [
    (24, 50.9962),
    (12, 1.2384),
    (0, 0.778),
    (29, 0.5344),
    (43, 0.3776),
    (20, 0.3102),
    (11, 0.2575),
    (49, 0.228),
]
"""The rows and gains that submodlib 0.0.3 answers (dense, euclidean, LazyGreedy) for 60 rows."""


def drawn(rows: int, dims: int) -> np.ndarray:
    embeddings = np.random.default_rng(0).normal(size=(rows, dims))
    return (embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)).astype(np.float32)


def assert_greedy(embeddings: np.ndarray, order: list[int]) -> None:
    """Hold each pick against the best that there was; of equal rows the first is due."""
    similar = similarities(embeddings)
    best = np.zeros(len(similar))
    for place, row in enumerate(order):
        gains = np.maximum(similar - best, 0).sum(axis=1)
        gains[order[:place]] = -1
        assert gains[row] >= gains.max() - TOLERANCE
        twins = np.flatnonzero((embeddings == embeddings[row]).all(axis=1))
        assert row == np.setdiff1d(twins, order[:place])[0]
        best = np.maximum(best, similar[row])


def test_it_picks_the_rows_that_submodlib_picks():
    choice = facility_location(drawn(60, 8), k=8)

    assert in_order(choice) == [row for row, _ in SUBMODLIB]
    for row, gain in SUBMODLIB:
        assert choice.told["gain"][row] == pytest.approx(gain, abs=1e-4)


def test_a_row_of_each_cluster_comes_first():
    angles = np.radians([0, 1, 2, 120, 121, 122, 240, 241, 242])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1)

    assert kept(facility_location(embeddings, k=3)) == [1, 4, 7]


@settings(max_examples=60, deadline=None)
@given(st.data(), st.integers(1, 12), st.integers(1, 4))
def test_any_small_set_is_picked_greedily(data, rows: int, dims: int):
    embeddings = data.draw(on_a_grid(rows, dims))

    choice = facility_location(embeddings, k=rows)

    assert sorted(in_order(choice)) == list(range(rows))
    assert_greedy(embeddings, in_order(choice))


def test_a_larger_set_is_picked_greedily(monkeypatch: pytest.MonkeyPatch):
    embeddings = drawn(400, 16)
    whole = facility_location(embeddings, k=120)
    monkeypatch.setattr("synth.curation.distances._TILE", 30)
    monkeypatch.setattr("synth.curation.distances._AT_ONCE", 3000)
    monkeypatch.setattr("synth.curation.distances._KEPT", 0)

    assert_greedy(embeddings, in_order(whole))
    assert in_order(facility_location(embeddings, k=120)) == in_order(whole)


def test_threads_do_not_matter():
    threadpoolctl = pytest.importorskip("threadpoolctl", reason="comes with `classify`")
    embeddings = drawn(1000, 64)
    outcomes: list[list[int]] = []
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads):
            outcomes.append(facility_location(embeddings, k=20).rank.tolist())

    assert outcomes[0] == outcomes[1]


def test_equal_rows_are_picked_by_position():
    choice = facility_location(np.ones((300, 6), np.float32), k=4)

    assert in_order(choice) == [0, 1, 2, 3]
    assert choice.told["gain"][:4].tolist() == [pytest.approx(300), 0, 0, 0]


def test_rows_without_a_direction_lie_in_one_place():
    embeddings = np.array([[1, 0], [math.nan, 1], [0, 0], [1, 0], [0, 0]], np.float32)

    assert in_order(facility_location(embeddings, k=2)) == [1, 0]


def test_the_best_by_a_score_come_first_and_then_those_that_stand_for_them():
    embeddings, scores = drawn(100, 8), np.random.default_rng(1).random(100)
    best = np.flatnonzero(top(scores, k=40).kept)

    rows = best[facility_location(embeddings[best], k=10).kept]

    assert len(rows) == 10
    assert scores[rows].min() >= np.sort(scores)[-40]


def test_each_row_left_out_says_so():
    choice = facility_location(drawn(5, 4), k=2)

    left = next(row for row in range(5) if not choice.kept[row])
    assert choice.reason(left) == "covered: not among the 2 rows that stand for all"
    assert choice.rank[left] == 0


@pytest.mark.parametrize(("rows", "k", "expected"), [(0, 3, 0), (1, 3, 1), (4, 0, 0), (4, 9, 4)])
def test_edges(rows: int, k: int, expected: int):
    assert facility_location(drawn(4, 3)[:rows], k=k).kept.sum() == expected


def test_fewer_than_none_cannot_be_kept():
    with pytest.raises(ValueError, match="got -1"):
        facility_location(drawn(2, 2), k=-1)
