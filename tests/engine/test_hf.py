"""`hf` on tiny models: the same numbers as one text at a time, whatever is in flight beside it."""
# torch and transformers are not installed where types are checked.
# pyright: reportMissingImports=false

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Chat, Origin, Text
from synth.engine.hf import HfEngine
from synth.errors import CallFailed, EngineRefused

pytestmark = [
    pytest.mark.vllm,
    # torch and transformers warn of much that is theirs.
    pytest.mark.filterwarnings("default"),
]

tiny: Any = import_module("tests.engine.tiny_models") if find_spec("torch") else None

ORIGIN = Origin("record", "score")
HELLO = Chat(({"role": "user", "content": "Say hello."},))


@asynccontextmanager
async def started(folder: Path, **options: Any) -> AsyncGenerator[HfEngine, None]:
    engine = HfEngine(model=str(folder), **options)
    await engine.start()
    try:
        yield engine
    finally:
        await engine.close()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.llama(tmp_path_factory.mktemp("llama"), tiny.tokenizer("the", "answer"))


def texts(count: int) -> list[tuple[str, str]]:
    """Return prompts and continuations of many lengths; a third begin alike."""
    draw = random.Random(0)
    beginning = "In what follows the answer is what matters, and nothing else does: "

    def words(most: int) -> str:
        return "".join(draw.choice("the answer xyz\n") for _ in range(draw.randint(1, most)))

    return [((beginning if n % 3 else "") + words(20), words(30)) for n in range(count)]


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
async def test_many_at_once_get_the_numbers_of_one_text_alone(kind: str, tmp_path: Path):
    reads = tiny.tokenizer("the", "answer")
    folder = getattr(tiny, kind)(tmp_path / "model", reads)
    asked = texts(40)

    async with started(folder, batch_tokens=600) as engine:
        given = await asyncio.gather(*(engine.logprobs(Text(a), b, ORIGIN) for a, b in asked))

    for (prompt, continuation), scored in zip(asked, given, strict=True):
        tokens = reads.encode(prompt + continuation)
        wanted = tiny.likely(folder, tokens)[scored.before - 1 :]
        assert scored.logprobs == pytest.approx(wanted, abs=1e-3)
        assert reads.decode(tokens[: scored.before]) + "".join(scored.tokens) == (
            prompt + continuation
        )


async def test_answers_to_one_prompt_have_the_numbers_of_each_alone(model: Path):
    prompt = Text("what matters is the question; " * 2)
    answers = ["yes", "yes and the answer", "no", "the answer", "x"]

    async with started(model) as engine:
        given = await asyncio.gather(*(engine.logprobs(prompt, one, ORIGIN) for one in answers))
        alone = [await engine.logprobs(prompt, one, ORIGIN) for one in answers]

    for one, other in zip(given, alone, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-3)


async def test_turns_of_one_conversation_are_scored_in_one_text(model: Path):
    talk = "the question? the answer! another? yes"
    borders = [(4, 14), (14, 24), (24, len(talk))]

    async with started(model) as engine:
        given = await asyncio.gather(
            *(engine.logprobs(Text(talk[:a]), talk[a:b], ORIGIN) for a, b in borders)
        )
        alone = [await engine.logprobs(Text(talk[:a]), talk[a:b], ORIGIN) for a, b in borders]

    assert [one.tokens for one in given] == [one.tokens for one in alone]
    for one, other in zip(given, alone, strict=True):
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-3)


async def test_a_token_that_straddles_the_border_counts_to_the_continuation(tmp_path: Path):
    reads = tiny.tokenizer("world")
    folder = tiny.llama(tmp_path / "model", reads)

    async with started(folder) as engine:
        scored = await engine.logprobs(Text("a wor"), "ld!", ORIGIN)
        whole = await engine.logprobs(Text("a "), "world!", ORIGIN)

    # Tokenised alone the prompt has three tokens, and a span from there on would begin at "!".
    assert len(reads.encode("a wor")) == 3
    assert scored.tokens == whole.tokens == ("world", "!")
    assert scored.before == 2
    assert scored.logprobs == whole.logprobs


async def test_a_merge_in_the_prompt_moves_no_border(tmp_path: Path):
    folder = tiny.llama(tmp_path / "model", tiny.tokenizer("!!", "aaaa"))

    async with started(folder) as engine:
        scored = await engine.logprobs(Text("aaaaaa!!"), "!!b", ORIGIN)

    assert (scored.tokens, scored.before) == (("!!", "b"), 4)


async def test_characters_of_several_tokens_count_whole(model: Path):
    async with started(model) as engine:
        scored = await engine.logprobs(Text("\u00e9"), "\u00e9", ORIGIN)

    assert len(scored.logprobs) == 2
    assert scored.before == 2


async def test_the_first_token_of_a_text_is_left_out(model: Path):
    async with started(model) as engine:
        scored = await engine.logprobs(Text(""), "the end", ORIGIN)
        one = await engine.logprobs(Text(""), "the", ORIGIN)
        nothing = await engine.logprobs(Text("the"), "", ORIGIN)

    assert (scored.tokens[0], scored.before) == (" ", 0)
    assert (one.tokens, nothing.tokens) == ((), ())


async def test_after_a_token_of_the_tokenizers_own_it_counts(tmp_path: Path):
    folder = tiny.llama(tmp_path / "model", tiny.tokenizer("the", bos=True))

    async with started(folder) as engine:
        scored = await engine.logprobs(Text(""), "the", ORIGIN)
        chat = await engine.logprobs(HELLO, "the", ORIGIN)

    assert (scored.tokens, scored.before) == (("the",), 1)
    # The chat template writes what it wants, and nothing is added to it.
    assert chat.before == len("Say hello.") + 3


async def test_a_text_is_cut_after_so_many_tokens(model: Path):
    async with started(model) as engine:
        whole = await engine.logprobs(Text("xyz"), "the answer", ORIGIN)
        cut = await engine.logprobs(Text("xyz"), "the answer", ORIGIN, cut_at=5)
        at_prompt = await engine.logprobs(Text("xyz"), "the answer", ORIGIN, cut_at=2)

    assert cut.tokens == whole.tokens[:2]
    assert cut.logprobs == pytest.approx(whole.logprobs[:2], abs=1e-4)
    assert (at_prompt.tokens, at_prompt.before) == ((), 3)


async def test_a_prompt_of_tokens_is_gone_on_from_as_it_stands(model: Path):
    async with started(model) as engine:
        as_tokens = await engine.logprobs(Text((87, 88, 89)), "the answer", ORIGIN)

    assert as_tokens.before == 3
    assert as_tokens.tokens[0] == "the"


async def test_a_text_longer_than_the_context_fails_alone(model: Path):
    async with started(model) as engine:
        long, short = await asyncio.gather(
            engine.logprobs(Text("x" * 200), "the", ORIGIN),
            engine.logprobs(Text("x" * 20), "the", ORIGIN),
            return_exceptions=True,
        )
        cut = await engine.logprobs(Text("x"), "y" * 200, ORIGIN, cut_at=128)

    assert isinstance(long, CallFailed)
    assert long.reason.startswith("prompt_too_long: 201 tokens, the model's context holds 128")
    assert not isinstance(short, BaseException)
    assert len(cut.tokens) == 127


async def test_a_chat_template_of_yours_is_used(model: Path, tmp_path: Path):
    (tmp_path / "mine.jinja").write_text("{{ messages[0].content }} >")

    async with started(model, chat_template=tmp_path / "mine.jinja") as engine:
        written = await engine.chat_text(HELLO.messages, reply_next=True)

    assert written == "Say hello. >"


async def test_a_model_without_a_template_says_so(tmp_path: Path):
    folder = tiny.llama(tmp_path / "model", tiny.tokenizer(template=None))
    engine = HfEngine(model=str(folder))

    async with started(folder) as running:
        with pytest.raises(CallFailed, match=r"^chat_template_failed: .*chat.template"):
            await running.logprobs(HELLO, "Hi", ORIGIN)

    assert "holds no chat template" in engine.lacking()["chat_text"]


async def test_numbers_that_are_none_are_a_failed_call(tmp_path: Path):
    from safetensors.torch import load_file, save_file

    folder = tiny.llama(tmp_path / "model", tiny.tokenizer())
    weights = load_file(folder / "model.safetensors")
    weights["model.norm.weight"] *= float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})

    async with started(folder) as engine:
        with pytest.raises(CallFailed, match=r"^not_a_number: "):
            await engine.logprobs(Text("a"), "b", ORIGIN)


async def test_a_folder_that_holds_no_model_is_refused(tmp_path: Path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))

    with pytest.raises(EngineRefused, match=r"transformers cannot load .*name a folder"):
        await HfEngine(model=str(tmp_path)).start()


async def test_a_name_that_is_nowhere_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    with pytest.raises(EngineRefused, match="transformers cannot load 'nobody/no-such-model'"):
        await HfEngine(model="nobody/no-such-model").start()


async def test_an_unstarted_engine_says_so(model: Path):
    with pytest.raises(EngineRefused, match="was asked before it was started"):
        await HfEngine(model=str(model)).logprobs(Text("a"), "b", ORIGIN)


async def test_what_waits_is_cancelled_when_the_engine_closes(model: Path):
    engine = HfEngine(model=str(model), batch_tokens=1)
    await engine.start()
    calls = [
        asyncio.create_task(engine.logprobs(Text("x" * 60), "y" * n, ORIGIN)) for n in range(1, 60)
    ]
    await asyncio.sleep(0.05)

    await engine.close()

    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert any(isinstance(one, asyncio.CancelledError) for one in ended)


async def test_a_cancelled_call_holds_up_nobody(model: Path):
    async with started(model) as engine:
        gone = asyncio.create_task(engine.logprobs(Text("x" * 60), "y", ORIGIN))
        await asyncio.sleep(0)
        gone.cancel()
        scored = await engine.logprobs(Text("x"), "y", ORIGIN)

    assert len(scored.logprobs) == 1
    assert gone.cancelled()


def test_where_and_how_fast_is_no_part_of_the_identity(model: Path, tmp_path: Path):
    here = HfEngine(model=str(model), device="cpu", batch_tokens=7, at_once=3)

    assert here.identity == HfEngine(model=str(model)).identity
    assert here.identity != HfEngine(model=str(model), dtype="bfloat16").identity
    assert str(model) not in here.identity.canonical()
