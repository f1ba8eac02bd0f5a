"""Near vectors: found exactly, in the order of keeping, however rows are cut into batches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from synth.similarity.nearest import Exact, Index, Near, Nearest, nearest, readable

THRESHOLD = 0.9


def drawn(rows: int, dims: int = 16) -> np.ndarray:
    """Return vectors in loose clusters, so that many are near to several others."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(rows // 8, dims))
    vectors = centres[rng.integers(len(centres), size=rows)] + 0.3 * rng.normal(size=(rows, dims))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def walked(index: Nearest, vectors: np.ndarray, batch: int) -> tuple[list[list[Near]], list[int]]:
    """Return what was near to each row, and which rows were kept: those with nothing near."""
    seen: list[list[Near]] = []
    kept: list[int] = []

    def take(_: int, near: Sequence[Near]) -> bool:
        if not near:
            kept.append(len(seen))
        seen.append(list(near))
        return not near

    for start in range(0, len(vectors), batch):
        index.walk(vectors[start : start + batch], take)
    return seen, kept


def test_exact_search_finds_what_comparing_all_pairs_finds():
    vectors = drawn(600)
    wide = vectors.astype(np.float64)
    kept: list[int] = []
    wanted: list[set[int]] = []
    for row in range(len(wide)):
        near = {place for place, k in enumerate(kept) if wide[k] @ wide[row] >= THRESHOLD}
        wanted.append(near)
        if not near:
            kept.append(row)

    seen, found = walked(Exact(THRESHOLD), vectors, 64)

    assert [{near.number for near in one} for one in seen] == wanted
    assert found == kept
    assert 50 < len(kept) < 500


@pytest.mark.parametrize("index", ["exact", "hnsw"])
def test_batches_do_not_matter(index: Index):
    if index == "hnsw":
        pytest.importorskip("usearch", reason="needs the extra `semantic`")
    vectors = drawn(300)

    outcomes = [walked(nearest(index, THRESHOLD), vectors, batch) for batch in (1, 7, 300)]

    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_the_graph_finds_nearly_all_that_is_near():
    pytest.importorskip("usearch", reason="needs the extra `semantic`")
    vectors = drawn(600)

    _, exactly = walked(nearest("exact", THRESHOLD), vectors, 64)
    _, by_graph = walked(nearest("hnsw", THRESHOLD), vectors, 64)

    assert len(set(exactly) ^ set(by_graph)) <= 0.02 * len(vectors)


def test_more_rows_than_a_block_holds_are_all_searched(monkeypatch: pytest.MonkeyPatch):
    vectors = drawn(400)
    whole = walked(Exact(THRESHOLD), vectors, 50)
    monkeypatch.setattr("synth.similarity.nearest._ROWS", 16)

    assert walked(Exact(THRESHOLD), vectors, 50) == whole


def test_the_nearest_comes_first_and_of_equally_near_ones_the_earlier():
    axis = np.eye(3, dtype=np.float32)
    tilted = np.array([0.8, 0.6, 0], np.float32)
    index = Exact(0.5)
    seen: list[list[Near]] = []

    def take(_: int, near: Sequence[Near]) -> bool:
        seen.append(list(near))
        return True

    index.walk(np.stack([axis[0], axis[0], axis[1], tilted]), take)

    assert [near.number for near in seen[-1]] == [0, 1, 2]
    assert [round(near.cosine, 6) for near in seen[-1]] == [0.8, 0.8, 0.6]


def test_a_vector_is_as_near_as_can_be_to_itself():
    vector = drawn(8)[:1]

    seen, _ = walked(Exact(1.0), np.concatenate([vector, vector]), 2)

    assert [near.number for near in seen[1]] == [0]


@pytest.mark.parametrize("index", ["exact", "hnsw"])
def test_a_batch_without_rows_changes_nothing(index: Index):
    if index == "hnsw":
        pytest.importorskip("usearch", reason="needs the extra `semantic`")
    vectors = drawn(16)
    walking = nearest(index, THRESHOLD)
    walked(walking, vectors, 16)

    assert walked(walking, vectors[:0], 1) == ([], [])
    walking.walk(vectors[:0], lambda _, __: True)


def test_rows_of_zeros_are_not_readable():
    assert readable(np.array([[0, 1], [0, 0], [1, 0]], np.float32)) == [0, 2]
