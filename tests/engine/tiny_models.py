"""Models of a few thousand numbers with tokenizers of their own, for tests of `hf`.

Import it where torch and transformers are installed.
"""
# torch and transformers are not installed where types are checked.
# pyright: reportMissingImports=false

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaForSequenceClassification,
    PreTrainedTokenizerFast,
)

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
_SPECIAL = ("<|bos|>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>")


def tokenizer(*merges: str, bos: bool = False, template: str | None = CHAT_TEMPLATE) -> Any:
    """Return a tokenizer of bytes that merges no more than these words, letter by letter."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {piece: number for number, piece in enumerate(alphabet)}
    pairs: list[tuple[str, str]] = []
    for word in merges:
        for length in range(1, len(word)):
            pair = (word[:length], word[length])
            vocabulary.setdefault(word[: length + 1], len(vocabulary))
            pairs += [pair] if pair not in pairs else []
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    # No regular expression cuts the text first: words of the merges may reach over any border.
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(token, special=True) for token in _SPECIAL])
    if bos:
        made.post_processor = processors.TemplateProcessing(
            single="<|bos|> $A", special_tokens=[("<|bos|>", made.token_to_id("<|bos|>"))]
        )
    named = {"bos_token": _SPECIAL[0], "eos_token": _SPECIAL[-1]}
    return PreTrainedTokenizerFast(tokenizer_object=made, chat_template=template, **named)


def _llama(vocabulary: int, context: int) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        initializer_range=0.4,
    )


def llama(folder: Path, reads: Any, *, context: int = 128, uniform: bool = False) -> Path:
    """Write a random model to `folder`; a uniform one finds every token equally likely."""
    torch.manual_seed(0)
    network = LlamaForCausalLM(_llama(len(reads), context))
    if uniform:
        torch.nn.init.zeros_(network.lm_head.weight)
    return _saved(folder, network, reads)


def gpt2(folder: Path, reads: Any) -> Path:
    """Write a random model of GPT-2's kind to `folder`."""
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(reads),
        n_embd=32,
        n_layer=2,
        n_head=4,
        n_positions=128,
        initializer_range=0.4,
    )
    return _saved(folder, GPT2LMHeadModel(config), reads)


def reward_model(folder: Path, reads: Any, *, labels: int = 1) -> Path:
    """Write a random model with a classification head to `folder`."""
    torch.manual_seed(0)
    config = _llama(len(reads), 128)
    config.num_labels = labels
    return _saved(folder, LlamaForSequenceClassification(config), reads)


def _saved(folder: Path, network: Any, reads: Any) -> Path:
    network.save_pretrained(folder)
    reads.save_pretrained(folder)
    return folder


def likely(folder: Path, tokens: list[int]) -> list[float]:
    """Return the log-probability of each token but the first: one text, whole, nothing clever."""
    from transformers import AutoModelForCausalLM

    network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        scores = network(torch.tensor([tokens])).logits[0].log_softmax(-1)
    return [scores[place, token].item() for place, token in enumerate(tokens[1:])]
