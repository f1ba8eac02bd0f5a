"""Kept vectors: the same as computed ones, whatever became of the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synth.similarity.embedding import Embedding
from synth.similarity.kept_vectors import kept_vectors
from tests.similarity.tiny_models import tiny_static

pytest.importorskip("model2vec", reason="needs the extra `semantic`")
TEXTS = ["how do i cook rice", "a map", ""]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Embedding:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Embedding(f"model2vec:{tiny_static(tmp_path / 'tiny', {'boil': 'cook'})}")


def kept(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").rglob("*.npy"))


def test_they_are_those_that_the_model_gives_and_stay_so(tmp_path: Path, model: Embedding):
    first = kept_vectors(model, TEXTS)
    [file] = kept(tmp_path)
    np.save(file, first * 2)

    again = kept_vectors(model, TEXTS)

    assert np.array_equal(first, model.embed(TEXTS))
    assert np.array_equal(again, first * 2)


def test_other_texts_have_a_file_of_their_own(tmp_path: Path, model: Embedding):
    for texts in (TEXTS, TEXTS[:2], ["how do i cook ricea map", ""]):
        kept_vectors(model, texts)

    assert len(kept(tmp_path)) == 3


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY"])
def test_a_damaged_file_is_made_again(tmp_path: Path, model: Embedding, content: bytes):
    first = kept_vectors(model, TEXTS)
    [file] = kept(tmp_path)
    file.write_bytes(content)

    again = kept_vectors(model, TEXTS)

    assert np.array_equal(again, first)
    assert np.array_equal(np.load(file), first)


def test_a_cache_that_cannot_be_written_costs_time_alone(
    tmp_path: Path, model: Embedding, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    vectors = kept_vectors(model, TEXTS)

    assert np.array_equal(vectors, model.embed(TEXTS))
