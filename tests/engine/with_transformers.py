"""What transformers and `hf` say of a text, for tests that compare other engines with them."""
# torch and transformers are not installed where types are checked.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from synth import Message, Record
from synth.engine.base import Engine
from synth.engine.hf import HfEngine
from synth.plugins import find
from synth.services import Resources, Services

_TALKS = (
    ("Name the capital of France.", "The capital of France is Paris."),
    ("Say yes yes yes.", "yes yes yes"),
    ("What is 2 + 2?", "  4, of course: naïve 🙂."),
    ("Name a fruit.", "static void main(String[] args) { return; }"),
)
_SCORED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("ifd", {"preset": "superfiltering", "max_length": 100}),
    ("ifd", {"preset": "cherry", "max_length": 40}),
    ("ifd", {"preset": "cherry", "chat_template": True, "max_length": 0}),
    ("perplexity", {"measure": "loss"}),
)


def logprob(model: Path, text: str, continuation: str) -> float:
    """Sum the log-probabilities of `continuation` after `text`, as transformers computes them."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
    before = len(tokenizer.encode(text, add_special_tokens=False))
    tokens = torch.tensor([tokenizer.encode(text + continuation, add_special_tokens=False)])
    with torch.no_grad():
        likely = network(tokens).logits.log_softmax(-1)[0, :-1]
    return likely.gather(1, tokens[0, 1:, None])[before - 1 :].sum().item()


async def check_scores_are_those_of_hf(engine: Engine, model: Path) -> None:
    """Compare IFD in three ways, and perplexity; `engine` runs already."""
    own = HfEngine(model=str(model), dtype="float32")
    await own.start()

    wanted = await _scores(own)
    given = await _scores(engine)

    await own.close()
    assert given == pytest.approx(wanted, abs=1e-2)
    assert len(set(wanted.values())) == len(wanted)


async def _scores(engine: Engine) -> Mapping[str, float | None]:
    nobody: Any = None
    asked = Services("s", engines={"e": engine}, prompts={}, judge=nobody, resources=Resources())
    records = [
        Record.seed({}, [_turn("user", one), _turn("assistant", other)]) for one, other in _TALKS
    ]
    scores: dict[str, float | None] = {}
    for number, (name, options) in enumerate(_SCORED):
        verifier = find("verifiers", name).cls(engine="e", **options)
        for place, verdict in enumerate(await verifier.judge(records, asked)):
            scores[f"{name} {number}, {place}"] = verdict.score
    return scores


def _turn(role: str, said: str) -> Message:
    return Message(role=role, content=said)
