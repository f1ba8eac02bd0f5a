"""A BERT in numpy: the values of the written-out formula, whatever else is in the batch."""
# safetensors and torch are optional.
# pyright: reportMissingImports=false

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from tests.similarity.tiny_models import DIMS, HEADS, LAYERS, tiny_bert

pytest.importorskip("safetensors", reason="needs the extra `semantic`")

from synth.similarity.bert import Bert

TEXTS = ["how do i cook rice", "boil a map", "rice", "cook a rice map how do i boil a map do"]


def gelu(value: float) -> float:
    return value * 0.5 * (1 + math.erf(value / math.sqrt(2)))


def normed(row: np.ndarray, scale: np.ndarray, shift: np.ndarray) -> np.ndarray:
    return (row - row.mean()) / math.sqrt(row.var() + 1e-12) * scale + shift


def mean_by_the_formula(weights: dict[str, np.ndarray], tokens: list[int]) -> np.ndarray:
    """The published formula, token by token and head by head, in double precision."""
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    at = "embeddings."
    rows = [
        normed(
            w[at + "word_embeddings.weight"][token]
            + w[at + "position_embeddings.weight"][place]
            + w[at + "token_type_embeddings.weight"][0],
            w[at + "LayerNorm.weight"],
            w[at + "LayerNorm.bias"],
        )
        for place, token in enumerate(tokens)
    ]
    for layer in range(LAYERS):
        rows = by_the_formula(w, f"encoder.layer.{layer}.", rows)
    return np.mean(rows, axis=0)


def by_the_formula(w: dict[str, np.ndarray], at: str, rows: list[np.ndarray]) -> list[np.ndarray]:
    def dense(name: str, row: np.ndarray) -> np.ndarray:
        return w[f"{at}{name}.weight"] @ row + w[f"{at}{name}.bias"]

    size = DIMS // HEADS
    out: list[np.ndarray] = []
    for row in rows:
        heads: list[np.ndarray] = []
        for head in range(HEADS):
            part = slice(head * size, (head + 1) * size)
            query = dense("attention.self.query", row)[part]
            scores = [
                math.exp(query @ dense("attention.self.key", other)[part] / math.sqrt(size))
                for other in rows
            ]
            values = [dense("attention.self.value", other)[part] for other in rows]
            heads.append(np.array(scores) @ np.array(values) / sum(scores))
        attended = dense("attention.output.dense", np.concatenate(heads)) + row
        name = f"{at}attention.output.LayerNorm"
        attended = normed(attended, w[f"{name}.weight"], w[f"{name}.bias"])
        inner = np.array([gelu(value) for value in dense("intermediate.dense", attended)])
        ended = dense("output.dense", inner) + attended
        name = f"{at}output.LayerNorm"
        out.append(normed(ended, w[f"{name}.weight"], w[f"{name}.bias"]))
    return out


@pytest.fixture
def bert(tmp_path: Path) -> Bert:
    return Bert(tiny_bert(tmp_path / "tiny"))


def test_vectors_are_those_of_the_published_formula(bert: Bert, tmp_path: Path):
    from safetensors.numpy import load_file

    weights = load_file(tmp_path / "tiny" / "model.safetensors")

    vectors = bert.embed(TEXTS)

    for text, vector in zip(TEXTS, vectors, strict=True):
        wanted = mean_by_the_formula(weights, bert.tokenizer.encode(text).ids)
        assert np.abs(vector - wanted / np.linalg.norm(wanted)).max() < 1e-5


def test_a_vector_depends_on_its_text_alone(bert: Bert):
    together = bert.embed(TEXTS)

    alone = np.concatenate([bert.embed([text]) for text in reversed(TEXTS)])[::-1]

    assert together.tobytes() == alone.tobytes()
    assert together.dtype == np.float32
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("text", ["", " \n", "\x00", "unheard of", "rice of yore"])
def test_a_text_of_which_half_is_unknown_has_a_vector_of_zeros(bert: Bert, text: str):
    assert not bert.embed([text]).any()


def test_no_text_gives_no_vector(bert: Bert):
    assert bert.embed([]).shape == (0, DIMS)


def test_what_is_beyond_the_longest_input_is_not_read(bert: Bert):
    short, long = "rice " * 8, "rice " * 200_000

    assert bert.embed([short]).tobytes() == bert.embed([long]).tobytes()


def test_the_folder_may_say_that_less_is_read(tmp_path: Path):
    folder = tiny_bert(tmp_path / "tiny")
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 4}))

    vectors = Bert(folder).embed(["cook rice", "cook rice how do i"])

    assert vectors[0].tobytes() == vectors[1].tobytes()


def test_several_texts_of_one_length_may_be_run_at_once(bert: Bert):
    tokens = np.array([bert.tokenizer.encode(text).ids for text in ("cook rice", "boil map")])

    together = bert.means(tokens)

    assert np.allclose(together[1:], bert.means(tokens[1:]), atol=1e-6)


@pytest.mark.vllm
def test_vectors_are_those_of_transformers(bert: Bert, tmp_path: Path):
    import torch
    from transformers import BertModel

    model = BertModel.from_pretrained(tmp_path / "tiny", add_pooling_layer=False).eval()

    vectors = bert.embed(TEXTS)

    for text, vector in zip(TEXTS, vectors, strict=True):
        with torch.inference_mode():
            ids = torch.tensor([bert.tokenizer.encode(text).ids])
            wanted = model(ids).last_hidden_state[0].mean(0).numpy()
        assert np.abs(vector - wanted / np.linalg.norm(wanted)).max() < 1e-5
