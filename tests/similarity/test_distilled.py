"""A static model is made once: whole or not at all, whoever else makes it at the same time."""
# safetensors and torch are optional.
# pyright: reportMissingImports=false

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from synth.errors import StorageError
from tests.similarity.tiny_models import WORDS, tiny_bert

pytest.importorskip("safetensors", reason="needs the extra `semantic`")

from safetensors.numpy import load_file

from synth.similarity.distilled import distilled


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "expertsynth"


def test_each_token_of_the_vocabulary_gets_a_vector(cache: Path, tmp_path: Path):
    folder = distilled(tiny_bert(tmp_path / "tiny"), "tiny-1")

    vectors = load_file(folder / "model.safetensors")["embeddings"]
    assert folder == cache / "tiny-1"
    assert vectors.shape[0] == len(WORDS)
    assert vectors.dtype == np.float16
    assert len({row.tobytes() for row in vectors}) == len(WORDS)


def test_it_is_made_once_and_nothing_else_is_left(cache: Path, tmp_path: Path):
    made = distilled(tiny_bert(tmp_path / "tiny"), "tiny-1")

    again = distilled(tmp_path / "nowhere", "tiny-1")

    assert again == made
    assert [entry.name for entry in cache.iterdir()] == ["tiny-1"]


def test_processes_that_make_it_at_once_end_up_with_one(cache: Path, tmp_path: Path):
    source = tiny_bert(tmp_path / "tiny")
    code = (
        "import sys, pathlib; from synth.similarity.distilled import distilled; "
        "print(distilled(pathlib.Path(sys.argv[1]), 'tiny-1'))"
    )
    command = [sys.executable, "-c", code, str(source)]

    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate()[0].strip() for process in running]

    assert said == [str(cache / "tiny-1")] * 2
    assert [entry.name for entry in cache.iterdir()] == ["tiny-1"]


def test_a_model_that_cannot_be_made_leaves_nothing(cache: Path, tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        distilled(tmp_path / "nowhere", "tiny-1")

    assert list(cache.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    with pytest.raises(StorageError, match="set XDG_CACHE_HOME to a folder that can be written"):
        distilled(tmp_path, "tiny-1")


def test_model2vec_reads_what_was_made(cache: Path, tmp_path: Path):
    pytest.importorskip("model2vec", reason="needs the extra `semantic`")
    from synth.similarity.embedding import Embedding

    folder = distilled(tiny_bert(tmp_path / "tiny"), "tiny-1")

    vectors = Embedding(f"model2vec:{folder}").embed(["cook rice", "rice cook", "a map"])

    assert np.allclose(vectors[0], vectors[1], atol=1e-6)
    assert vectors[0] @ vectors[2] < 0.99
