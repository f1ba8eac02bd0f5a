"""Models of a few words, made in a test: a BERT with random weights, and a static one."""
# safetensors and torch are optional.
# pyright: reportMissingImports=false

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "how", "do", "i", "cook", "rice", "boil", "a", "map")
DIMS, HEADS, LAYERS, INNER, POSITIONS = 8, 2, 2, 12, 10


def tokenizer() -> Tokenizer:
    made = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}, "[UNK]"))
    made.pre_tokenizer = Whitespace()
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return made


def tiny_bert(folder: Path) -> Path:
    """Write a BERT of two layers with drawn weights."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "hidden_size": DIMS,
        "num_attention_heads": HEADS,
        "num_hidden_layers": LAYERS,
        "intermediate_size": INNER,
        "max_position_embeddings": POSITIONS,
        "vocab_size": len(WORDS),
        "type_vocab_size": 2,
        "hidden_act": "gelu",
        "layer_norm_eps": 1e-12,
    }
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    save_file(_weights(), folder / "model.safetensors")
    tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def _weights() -> dict[str, np.ndarray]:
    drawn = np.random.default_rng(5)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (len(WORDS), DIMS),
        "embeddings.position_embeddings.weight": (POSITIONS, DIMS),
        "embeddings.token_type_embeddings.weight": (2, DIMS),
        "embeddings.LayerNorm.weight": (DIMS,),
        "embeddings.LayerNorm.bias": (DIMS,),
    }
    for layer in range(LAYERS):
        shapes |= _layer_shapes(f"encoder.layer.{layer}.")
    return {name: drawn.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def _layer_shapes(name: str) -> dict[str, tuple[int, ...]]:
    sizes = {
        "attention.self.query": (DIMS, DIMS),
        "attention.self.key": (DIMS, DIMS),
        "attention.self.value": (DIMS, DIMS),
        "attention.output.dense": (DIMS, DIMS),
        "intermediate.dense": (INNER, DIMS),
        "output.dense": (DIMS, INNER),
    }
    shapes: dict[str, tuple[int, ...]] = {}
    for part, size in sizes.items():
        shapes |= {f"{name}{part}.weight": size, f"{name}{part}.bias": size[:1]}
    for part in ("attention.output.LayerNorm", "output.LayerNorm"):
        shapes |= {f"{name}{part}.weight": (DIMS,), f"{name}{part}.bias": (DIMS,)}
    return shapes


def tiny_static(folder: Path, alike: Mapping[str, str] | None = None) -> Path:
    """Write a model2vec model: each word a direction of its own, or that of the word it is like."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    vectors = np.eye(len(WORDS), dtype=np.float32)
    for word, other in (alike or {}).items():
        vectors[WORDS.index(word)] = vectors[WORDS.index(other)]
    save_file({"embeddings": vectors}, folder / "model.safetensors")
    tokenizer().save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text('{"model_type": "model2vec", "normalize": true}', "utf-8")
    return folder
