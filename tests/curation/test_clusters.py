"""Cherry's warm-up: a few rows of each cluster, from the middle of its scores."""

from __future__ import annotations

import importlib.util
import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.curation.clusters import k_means_sample
from synth.errors import PluginError
from tests.curation.naive import codes, in_order, kept

pytest.importorskip("sklearn", reason="needs the extra `classify`")

# Two clusters that nobody can mistake: the even rows and the odd ones.
TWO = np.array([[0, 0], [9, 9]] * 8, np.float32) + np.arange(16, dtype=np.float32)[:, None] / 100


def sampled(
    members: list[int], scores: np.ndarray, per_cluster: int, band: tuple[int, int]
) -> list[int]:
    """Return what the authors' program takes of a cluster."""
    if len(members) < per_cluster:
        return members
    low, high = np.percentile(scores[members], band)
    middle = [row for row in members if low <= scores[row] <= high]
    if len(middle) < per_cluster:
        return middle
    return middle[:: len(middle) // per_cluster][:per_cluster]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([1.0, 2.0, 3.0, 5.0, 8.0]), min_size=16, max_size=16),
    st.integers(1, 9),
    st.sampled_from([(25, 75), (1, 99), (0, 100), (50, 50)]),
)
def test_it_samples_as_the_authors_do(scores: list[float], per_cluster: int, band):
    choice = k_means_sample(TWO, clusters=2, per_cluster=per_cluster, scores=scores, band=band)

    parts = [
        sampled(list(range(start, 16, 2)), np.array(scores), per_cluster, band) for start in (0, 1)
    ]
    assert in_order(choice) in (parts[0] + parts[1], parts[1] + parts[0])


def test_without_scores_rows_are_taken_at_equal_steps():
    assert kept(k_means_sample(TWO, clusters=2, per_cluster=4)) == [0, 1, 4, 5, 8, 9, 12, 13]


def test_each_row_left_out_says_why():
    choice = k_means_sample(TWO[::2], clusters=1, per_cluster=2, scores=[0, 3, 3, 3, 3, 3, 3, 9])

    assert codes(choice) == [
        "outside_band",
        "",
        *["cluster_full"] * 2,
        "",
        *["cluster_full"] * 2,
        "outside_band",
    ]
    assert choice.reason(0) == (
        "outside_band: not among the middle scores (25 to 75 %) of its cluster"
    )
    assert choice.reason(2) == "cluster_full: 2 others were taken from its cluster"


def test_a_row_without_a_score_is_in_no_band():
    scores = np.array([1, math.nan, 1, 1, math.nan, 1, 1, 1])

    choice = k_means_sample(TWO[::2], clusters=1, per_cluster=8, scores=scores)

    assert kept(choice) == [0, 2, 3, 5, 6, 7]
    nothing = k_means_sample(TWO[::2], clusters=1, per_cluster=1, scores=np.full(8, math.nan))
    assert kept(nothing) == []


def test_a_seed_gives_the_same_rows_on_any_number_of_threads():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    # Of these rows 91 change their cluster when two threads add instead of one.
    embeddings = (np.random.default_rng(2).integers(0, 4, size=(6000, 3)) * 0.1).astype(np.float32)
    outcomes: list[list[int]] = []
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads):
            outcomes.append(k_means_sample(embeddings, clusters=20).told["cluster"].tolist())

    assert outcomes[0] == outcomes[1]


def test_equal_rows_make_fewer_clusters():
    assert kept(k_means_sample(np.ones((40, 3), np.float32), clusters=5, per_cluster=3)) == [
        0,
        13,
        26,
    ]


def test_a_row_that_is_not_finite_counts_as_zeros():
    embeddings = TWO.copy()
    embeddings[3], embeddings[5, 1] = math.nan, math.inf

    labels = k_means_sample(embeddings, clusters=2).told["cluster"]

    assert labels[3] == labels[5] == labels[0] != labels[1]


def test_the_embeddings_given_stay_as_they_are():
    embeddings = TWO.copy()

    k_means_sample(embeddings, clusters=2)

    np.testing.assert_array_equal(embeddings, TWO)


@pytest.mark.parametrize(("rows", "per_cluster", "expected"), [(0, 10, 0), (1, 10, 1), (6, 0, 0)])
def test_edges(rows: int, per_cluster: int, expected: int):
    assert k_means_sample(TWO[:rows], per_cluster=per_cluster).kept.sum() == expected


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: k_means_sample(TWO, clusters=0), "got 0"),
        (lambda: k_means_sample(TWO, per_cluster=-1), "got -1"),
        (lambda: k_means_sample(TWO, band=(75, 25)), "in order"),
        (lambda: k_means_sample(TWO, scores=[1.0]), "each of the 16 rows, got 1"),
    ],
)
def test_a_request_that_makes_no_sense_says_what_is_wanted(wrong, told: str):
    with pytest.raises(ValueError, match=told):
        wrong()


def test_without_scikit_learn_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "sklearn", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)

    with pytest.raises(PluginError, match=r"pip install 'expertsynth\[classify\]'"):
        k_means_sample(TWO)
