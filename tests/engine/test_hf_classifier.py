"""`hf_classifier` and the verifier `reward` on a tiny random reward model."""
# torch and transformers are not installed where types are checked.
# pyright: reportMissingImports=false

from __future__ import annotations

import asyncio
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Chat, Origin, Text
from synth.engine.hf_classifier import HfClassifierEngine
from synth.errors import CallFailed
from synth.plugins import find
from synth.record import Message, Record
from tests.running import services, verify

pytestmark = [
    pytest.mark.vllm,
    # torch and transformers warn of much that is theirs.
    pytest.mark.filterwarnings("default"),
]

tiny: Any = import_module("tests.engine.tiny_models") if find_spec("torch") else None

ORIGIN = Origin("record", "score")
TALKS = [
    [Message(role="user", content="q" * n), Message(role="assistant", content="a" * (40 - n))]
    for n in range(1, 40, 3)
]


@pytest.fixture(scope="module")
def reads() -> Any:
    return tiny.tokenizer("the", bos=True)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, reads: Any) -> Path:
    return tiny.reward_model(tmp_path_factory.mktemp("reward"), reads)


def plain(folder: Path, tokens: list[int]) -> list[float]:
    """Return the head's outputs for one text, whole and alone."""
    import torch
    from transformers import AutoModelForSequenceClassification

    network = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    network.config.pad_token_id = 0
    with torch.no_grad():
        return network.eval()(torch.tensor([tokens])).logits[0].tolist()


async def test_the_reward_is_that_of_the_conversation_alone(
    model: Path, reads: Any, tmp_path: Path
):
    engines = {"judge": HfClassifierEngine(model=str(model), batch_tokens=150)}
    records = [Record.seed({}, talk, number=number) for number, talk in enumerate(TALKS)]

    async with services(tmp_path, engines=engines) as asked:
        verdicts = await find("verifiers", "reward").cls(engine="judge").judge(records, asked)
    await engines["judge"].close()

    for talk, verdict in zip(TALKS, verdicts, strict=True):
        tokens = reads.apply_chat_template(talk, tokenize=True, return_dict=False)
        [wanted] = await asyncio.to_thread(plain, model, tokens)
        assert verdict.score == pytest.approx(wanted, abs=1e-4)
    assert len({verdict.score for verdict in verdicts}) == len(TALKS)


async def test_a_text_is_read_with_the_tokenizers_own_tokens(model: Path, reads: Any):
    engine = HfClassifierEngine(model=str(model))
    await engine.start()

    [given] = await engine.classify(Text("the text"), ORIGIN)

    await engine.close()
    assert given == pytest.approx(plain(model, reads.encode("the text"))[0], abs=1e-4)


async def test_a_head_of_several_labels_wants_one_named(tmp_path: Path):
    folder = tiny.reward_model(tmp_path / "model", tiny.tokenizer(), labels=3)
    engines = {"judge": HfClassifierEngine(model=str(folder))}
    records = [Record.seed({}, TALKS[0])]
    reward = find("verifiers", "reward").cls

    async with services(tmp_path, engines=engines) as asked:
        outputs = await asked.classify("judge", Chat(tuple(TALKS[0])), records[0])
        [verdict] = await reward(engine="judge", label=2).judge(records, asked)
        with pytest.raises(ValueError, match=r"no_such_label: .* has 3 outputs"):
            await reward(engine="judge").judge(records, asked)
    await engines["judge"].close()

    assert verdict.score == outputs[2]


async def test_a_text_that_is_too_long_or_empty_fails_alone(model: Path):
    engine = HfClassifierEngine(model=str(model))
    await engine.start()

    ended = await asyncio.gather(
        engine.classify(Text("x" * 200), ORIGIN),
        engine.classify(Text((), add_special_tokens=False), ORIGIN),
        engine.classify(Text("fine"), ORIGIN),
        return_exceptions=True,
    )

    await engine.close()
    assert [getattr(one, "reason", "")[:15] for one in ended] == [
        "prompt_too_long",
        "empty_prompt: w",
        "",
    ]
    assert all(isinstance(one, CallFailed) for one in ended[:2])


async def test_a_record_without_a_reply_has_no_reward(model: Path, tmp_path: Path):
    engines = {"judge": HfClassifierEngine(model=str(model))}
    stage = verify("reward", engine="judge")
    seeds = [
        Record.seed({}, TALKS[0][:1]),
        Record.seed({}, [*TALKS[0][:1], Message(role="assistant", content=" ")]),
    ]

    async with services(tmp_path, engines=engines, stage=stage) as asked:
        [[first], [second]] = await stage.apply_batch(seeds, asked)
    await engines["judge"].close()

    reasons = [record.judgements[0].verdict.reason for record in (first, second)]
    assert [reason.partition(":")[0] for reason in reasons] == ["nothing_to_judge"] * 2
