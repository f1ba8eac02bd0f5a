"""A small BERT that turns texts into vectors, in numpy alone: no torch, and as quick on a laptop.

Models such as all-MiniLM-L6-v2 are six layers of matrix products. The products are BLAS's, here as
there, so all that a deep learning framework would add is its start-up and two gigabytes of disk.
"""
# numpy's arrays of weights come from untyped packages.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _Shape:
    layers: int
    heads: int
    epsilon: float

    @classmethod
    def read(cls, config: Path) -> _Shape:
        said: Mapping[str, Any] = json.loads(config.read_text("utf-8"))
        return cls(said["num_hidden_layers"], said["num_attention_heads"], said["layer_norm_eps"])


class Bert:
    """A BERT encoder from a folder as Hugging Face lays it out (float32, GELU, learned positions).

    Texts are run one at a time, so a vector depends on its text and on nothing else. Memory: the
    weights (90 MB for MiniLM), and a few megabytes a text.
    """

    def __init__(self, folder: Path) -> None:
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        self._weights: dict[str, Floats] = load_file(folder / "model.safetensors")
        self._shape = _Shape.read(folder / "config.json")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(_longest(folder))
        self._added = int(self.tokenizer.num_special_tokens_to_add(False))
        unknown = self.tokenizer.token_to_id("[UNK]")
        self._unknown = -1 if unknown is None else int(unknown)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one vector a text, (n, d): the mean over its tokens, brought to length 1.

        What is beyond the model's longest input (256 tokens for MiniLM) is not read. A text has a
        vector of zeros if half of its tokens or more are unknown to the model: a foreign script, or
        nothing but emoji, which all look the same to it.
        """
        found = np.zeros((len(texts), self.dims), np.float32)
        for number, encoded in enumerate(self.tokenizer.encode_batch_fast(list(texts))):
            unknown = encoded.ids.count(self._unknown)
            if 2 * unknown < len(encoded.ids) - self._added:
                mean = self.means(np.array([encoded.ids]))[0]
                found[number] = mean / np.linalg.norm(mean)
        return found

    @property
    def dims(self) -> int:
        """How long a vector is."""
        return self._weights["embeddings.LayerNorm.weight"].shape[0]

    def means(self, tokens: NDArray[np.int64]) -> Floats:
        """Return the mean of the last layer's vectors, (n, d), for n texts of the same length.

        `tokens`: (n, length), special ones included.
        """
        texts, length = tokens.shape
        states = self._embedded(tokens).reshape(texts * length, self.dims)
        for layer in range(self._shape.layers):
            states = self._layer(f"encoder.layer.{layer}.", states, texts)
        return states.reshape(texts, length, self.dims).mean(axis=1)

    def _embedded(self, tokens: NDArray[np.int64]) -> Floats:
        weights = self._weights
        states = weights["embeddings.word_embeddings.weight"][tokens]
        states += weights["embeddings.position_embeddings.weight"][: tokens.shape[1]]
        states += weights["embeddings.token_type_embeddings.weight"][0]
        return self._normed("embeddings.LayerNorm", states)

    def _layer(self, name: str, states: Floats, texts: int) -> Floats:
        attended = self._linear(
            name + "attention.output.dense", self._attended(name, states, texts)
        )
        states = self._normed(name + "attention.output.LayerNorm", attended + states)
        inner = _gelu(self._linear(name + "intermediate.dense", states))
        outer = self._linear(name + "output.dense", inner)
        return self._normed(name + "output.LayerNorm", outer + states)

    def _attended(self, name: str, states: Floats, texts: int) -> Floats:
        """Return what each token takes from the others of its text, all heads side by side."""
        rows, dims = states.shape
        heads = (texts, rows // texts, self._shape.heads, dims // self._shape.heads)
        query, key, value = (
            self._linear(f"{name}attention.self.{part}", states).reshape(heads).swapaxes(1, 2)
            for part in ("query", "key", "value")
        )
        shares = query @ key.swapaxes(2, 3)
        shares *= np.float32(heads[3] ** -0.5)
        shares -= shares.max(axis=-1, keepdims=True)
        np.exp(shares, out=shares)
        shares /= shares.sum(axis=-1, keepdims=True)
        return (shares @ value).swapaxes(1, 2).reshape(rows, dims)

    def _linear(self, name: str, states: Floats) -> Floats:
        product = states @ self._weights[name + ".weight"].T
        product += self._weights[name + ".bias"]
        return product

    def _normed(self, name: str, states: Floats) -> Floats:
        states = states - states.mean(axis=-1, keepdims=True)
        spread = np.square(states).mean(axis=-1, keepdims=True)
        states /= np.sqrt(spread + np.float32(self._shape.epsilon))
        states *= self._weights[name + ".weight"]
        states += self._weights[name + ".bias"]
        return states

    def of_each_token(self, at_once: int = 256) -> Iterator[Floats]:
        """Yield the vectors of all tokens of the vocabulary, each run as a text of its own."""
        first, last = self.tokenizer.encode("").ids
        size = self.tokenizer.get_vocab_size()
        for start in range(0, size, at_once):
            middle = np.arange(start, min(start + at_once, size))
            yield self.means(np.stack(np.broadcast_arrays(first, middle, last), axis=1))


def _longest(folder: Path) -> int:
    """Return how many tokens the sentence model reads, as its folder says, else all positions."""
    beside = folder / "sentence_bert_config.json"
    if beside.is_file():
        return int(json.loads(beside.read_text("utf-8"))["max_seq_length"])
    return int(json.loads((folder / "config.json").read_text("utf-8"))["max_position_embeddings"])


def _gelu(states: Floats) -> Floats:
    """Return x Φ(x). Φ by formula 7.1.26 of Abramowitz and Stegun (1964), off by 1.5e-7 at most."""
    away = np.abs(states) * np.float32(0.5**0.5)
    slope = 1 / (1 + np.float32(0.3275911) * away)
    tail = np.float32(1.061405429) * slope
    for term in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail += np.float32(term)
        tail *= slope
    np.square(away, out=away)
    tail *= np.exp(-away)
    half = states * np.float32(0.5)
    return (half + np.abs(half) * (1 - tail)).astype(np.float32, copy=False)
