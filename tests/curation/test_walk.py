"""DEITA's walk keeps exactly the published rows, whatever multiplies the embeddings."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.curation.choice import Choice
from synth.curation.vectors import exact
from synth.curation.walk import deita_walk
from tests.curation.naive import codes, in_order, kept, on_a_grid, sorted_rows, walked


def at_degrees(*degrees: float) -> np.ndarray:
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


# cos 25.8° = 0.9003, cos 25.9° = 0.8996
SCORES = [9, 8, 7, 6, 5, 4]
EMBEDDINGS = at_degrees(0, 20, 40, 65.8, 66, 120)


def test_what_is_too_near_to_a_kept_row_is_left_out():
    choice = deita_walk(SCORES, EMBEDDINGS)

    assert kept(choice) == [0, 2, 4, 5]
    assert choice.reason(1) == "too_near: cosine 0.9397 to 0, where at most 0.9 is wanted"
    assert choice.reason(3, named="row {}".format).startswith("too_near: cosine 0.9003 to row 2,")


def test_in_a_batch_a_row_is_also_held_against_rows_left_out():
    choice = deita_walk(SCORES, EMBEDDINGS, batch=2)

    # Batches are (0) (1 2) (3 4) (5): 2 is near to 1, which is near to 0; 4 to 3.
    assert kept(choice) == [0, 3, 5]
    assert choice.told["other"].tolist() == [-1, 0, 1, 0, 3, 3]


def test_the_walk_goes_by_score_and_ends_with_the_last_that_is_wanted():
    choice = deita_walk([1, 3, math.nan, 3, 2], at_degrees(0, 90, 180, 91, 270), most=2)

    assert in_order(choice) == [1, 4]
    assert choice.rank.tolist() == [4, 1, 5, 2, 3]
    assert codes(choice) == ["enough", "", "enough", "too_near", ""]
    assert choice.reason(0) == "enough: 2 rows were kept before number 4 by score (1)"


def test_a_cosine_at_the_bound_is_not_above_it():
    embeddings = np.array([[1, 0], [0.6, 0.8]], np.float32)  # 0.6 in single precision is more

    assert kept(deita_walk([2, 1], embeddings, max_cosine=0.6)) == [0, 1]
    assert kept(deita_walk([2, 1], embeddings, max_cosine=0.59999)) == [0]
    assert kept(deita_walk([2, 1], embeddings[[0, 0]], max_cosine=1)) == [0, 1]


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(0, 14), st.sampled_from([-0.5, 0, 0.5, 0.8, 0.9, 1]))
def test_any_walk_is_that_of_one_row_after_the_other(data, rows: int, max_cosine: float):
    scores = data.draw(
        st.lists(st.sampled_from([1.0, 2.0, math.nan]), min_size=rows, max_size=rows)
    )
    embeddings = data.draw(on_a_grid(rows))
    most, batch = data.draw(st.integers(0, rows + 1)), data.draw(st.integers(1, 5))

    choice = deita_walk(scores, embeddings, max_cosine=max_cosine, most=most, batch=batch)

    assert in_order(choice) == walked(scores, embeddings, max_cosine, most, batch)
    assert [sorted_rows(scores)[rank - 1] for rank in choice.rank] == list(range(rows))


def clustered(rows: int, dims: int = 24) -> np.ndarray:
    rng = np.random.default_rng(5)
    centres = rng.normal(size=(rows // 6, dims))
    rows_near = centres[rng.integers(len(centres), size=rows)]
    return (rows_near + 0.25 * rng.normal(size=(rows, dims))).astype(np.float32)


@pytest.mark.parametrize("batch", [1, 7])
def test_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch, batch: int):
    embeddings, scores = clustered(700), np.random.default_rng(1).random(700).tolist()
    whole = deita_walk(scores, embeddings, batch=batch, most=300)

    monkeypatch.setattr("synth.curation.walk._BLOCK", 8)
    monkeypatch.setattr("synth.curation.walk._CHUNK", 5)
    parts = deita_walk(scores, embeddings, batch=batch, most=300)

    assert in_order(whole) == walked(scores, embeddings, 0.9, 300, batch)
    assert 100 < whole.kept.sum() < 400
    np.testing.assert_array_equal(whole.why, parts.why)
    for name, column in whole.told.items():
        np.testing.assert_array_equal(column, parts.told[name])


def test_threads_do_not_matter():
    threadpoolctl = pytest.importorskip("threadpoolctl", reason="comes with `classify`")
    embeddings, scores = clustered(2000, 100), np.zeros(2000)
    outcomes: list[Choice] = []
    for threads in (1, 2):
        with threadpoolctl.threadpool_limits(threads):
            outcomes.append(deita_walk(scores, embeddings))

    one, two = outcomes
    np.testing.assert_array_equal(one.why, two.why)
    np.testing.assert_array_equal(one.told["cosine"], two.told["cosine"])


def test_products_of_embeddings_are_exact():
    rows = exact(clustered(40, 384), slice(None))
    wide = [[Fraction(value) for value in row] for row in rows[:6]]

    products = rows @ rows.T

    for one in range(6):
        for other in range(6):
            true = sum(a * b for a, b in zip(wide[one], wide[other], strict=True))
            assert Fraction(products[one, other]) == true


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("size", [1e-3, 1.0, 1e3])
def test_the_length_of_an_embedding_does_not_matter(kind: type, size: float):
    embeddings = at_degrees(0, 20, 80)

    choice = deita_walk([3, 2, 1], (embeddings * size).astype(kind))

    assert kept(choice) == [0, 2]
    assert choice.told["cosine"][1] == pytest.approx(0.9397, abs=2e-3)


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_extreme_embeddings_keep_their_direction(size: float):
    assert kept(deita_walk([3, 2, 1], at_degrees(0, 20, 80).astype(float) * size)) == [0, 2]


def test_a_row_without_a_direction_is_near_to_nothing():
    embeddings = np.array([[1, 0], [0, 0], [math.nan, 1], [math.inf, 0], [0, 0]], np.float32)

    choice = deita_walk(np.zeros(5), embeddings)

    assert kept(choice) == [0, 1, 2, 3, 4]
    assert choice.told["cosine"][1:].tolist() == [0, 0, 0, 0]


def test_of_equal_rows_the_first_is_kept():
    assert kept(deita_walk(np.ones(5000), np.ones((5000, 8), np.float32))) == [0]


def test_edges():
    assert kept(deita_walk([], np.empty((0, 4), np.float32))) == []
    assert kept(deita_walk([math.nan], np.ones((1, 4), np.float32))) == [0]
    assert kept(deita_walk([1, 2], np.eye(2), most=0)) == []
    assert kept(deita_walk([1, 2], np.eye(2), most=9, batch=50)) == [0, 1]


def test_embeddings_may_lie_in_a_file(tmp_path):
    mapped = np.memmap(tmp_path / "rows", np.float32, "w+", shape=EMBEDDINGS.shape)
    mapped[:] = EMBEDDINGS

    assert kept(deita_walk(SCORES, mapped)) == [0, 2, 4, 5]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda: deita_walk([1], np.eye(2)), "each of the 1 rows, got 2"),
        (lambda: deita_walk([1], np.ones(4)), "shape"),
        (lambda: deita_walk([1], np.ones((1, 2), int)), "floats"),
        (lambda: deita_walk([1], np.ones((1, 2)), batch=0), "got 0"),
        (lambda: deita_walk([1], np.ones((1, 2)), most=-1), "got -1"),
    ],
)
def test_a_request_that_makes_no_sense_says_what_is_wanted(wrong, told: str):
    with pytest.raises(ValueError, match=told):
        wrong()
