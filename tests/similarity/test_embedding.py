"""What a recipe may name as an embedding, and what comes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from synth.frozen import Frozen, validated
from synth.similarity.embedding import MINILM, Embedding, EmbeddingModel
from tests.similarity.tiny_models import tiny_static


class Options(Frozen):
    """Options with an embedding."""

    embedding: EmbeddingModel = MINILM


def test_a_folder_lies_beside_the_recipe(tmp_path: Path):
    (tmp_path / "my_model").mkdir()

    options = validated(Options, {"embedding": "model2vec:my_model"}, folder=tmp_path)

    assert options.embedding == Embedding(f"model2vec:{tmp_path / 'my_model'}")


def test_what_is_no_folder_is_a_name_on_the_hub(tmp_path: Path):
    options = validated(Options, {"embedding": "model2vec:acme/tiny-8M"}, folder=tmp_path)

    assert options.embedding == Embedding("model2vec:acme/tiny-8M")
    assert options.model_dump(mode="json") == {"embedding": "model2vec:acme/tiny-8M"}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("minilmm", "no embedding 'minilmm'. Did you mean 'minilm'?"),
        ("model2vec", "wanted model2vec: and a folder or name"),
        ("model2vec:", "wanted model2vec: and a folder or name"),
        ("minilm:folder", "wanted 'minilm', got 'minilm:folder'"),
        ("minilm:", "wanted 'minilm', got 'minilm:'"),
        ("model2vec:../no such/folder", "no folder '../no such/folder' beside the recipe"),
        (7, "no embedding 7"),
    ],
)
def test_what_is_no_embedding_is_refused_with_the_reason(written: object, said: str):
    with pytest.raises(ValidationError, match=said.replace("?", r"\?")):
        Options.model_validate({"embedding": written})


def test_a_dump_changes_with_the_weights_and_not_with_the_place(tmp_path: Path):
    pytest.importorskip("safetensors", reason="needs the extra `semantic`")
    for name, alike in (("one", {}), ("same", {}), ("other", {"boil": "cook"})):
        tiny_static(tmp_path / name, alike)

    dumps = [
        validated(Options, {"embedding": f"model2vec:{name}"}, folder=tmp_path).model_dump_json()
        for name in ("one", "same", "other")
    ]

    assert dumps[0] == dumps[1] != dumps[2]
    assert str(tmp_path) not in dumps[0]


def test_static_vectors_are_means_of_length_one(tmp_path: Path):
    pytest.importorskip("model2vec", reason="needs the extra `semantic`")
    embedding = Embedding(f"model2vec:{tiny_static(tmp_path / 'tiny', {'boil': 'cook'})}")

    vectors = embedding.embed(["cook rice", "boil rice", "cook rice unheard", "unheard", ""])

    assert vectors.dtype == np.float32
    assert vectors[0] @ vectors[1] == pytest.approx(1)
    assert vectors[0] @ vectors[2] == pytest.approx(1)
    assert not vectors[3:].any()
    assert embedding.embed([]).shape == (0, vectors.shape[1])


def test_a_static_vector_depends_on_its_text_alone(tmp_path: Path):
    pytest.importorskip("model2vec", reason="needs the extra `semantic`")
    embedding = Embedding(f"model2vec:{tiny_static(tmp_path / 'tiny')}")
    texts = ["how do i cook rice", "a map", "rice " * 3000]

    together = embedding.embed(texts)

    assert together.tobytes() == b"".join(embedding.embed([text]).tobytes() for text in texts)
