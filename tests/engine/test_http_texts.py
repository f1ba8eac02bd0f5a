"""Log-probabilities, chat templates and embeddings by HTTP, as different servers answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Chat, Origin, Text
from synth.engine.http import HttpEngine
from synth.errors import CallFailed, EngineRefused
from synth.frozen import validated
from synth.record import Message

ORIGIN = Origin("record", "score")
HELLO = (Message(role="user", content="Hi"),)
WORDS = {number: f" w{number}" for number in range(1, 100)}
Connect = Callable[..., Awaitable[HttpEngine]]


@pytest.fixture
async def connect() -> AsyncGenerator[Connect, None]:
    async with AsyncExitStack() as stack:

        async def connected(url: str, folder: Path | None = None, **options: Any) -> HttpEngine:
            given = {"url": url, "model": "m", **options}
            engine = validated(HttpEngine, given, folder=folder or Path())
            await engine.start()
            stack.push_async_callback(engine.close)
            return engine

        yield connected


def pieces(text: str) -> list[str]:
    """Cut a text into tokens of three characters."""
    return [text[start : start + 3] for start in range(0, len(text), 3)]


class Vllm:
    """Answers like vLLM's server; its template writes <role>content."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __call__(self, asked: Any) -> Any:
        body = asked.body
        if asked.path == "/tokenize":
            written = "".join(f"<{turn['role']}>{turn['content']}" for turn in body["messages"])
            written += "<assistant>" if body["add_generation_prompt"] else ""
            return {"count": len(written), "tokens": [ord(letter) for letter in written]}
        if asked.path == "/detokenize":
            return {"prompt": "".join(chr(number) for number in body["tokens"])}
        if "prompt_logprobs" not in body:
            return self.answer({"error": {"message": "scored another way"}}, 400)
        scored = [{"1": {"logprob": -1.0, "decoded_token": t}} for t in pieces(body["prompt"])]
        return {"choices": [{"text": "x", "prompt_logprobs": [None, *scored[1:]]}]}


class OpenAi:
    """Answers like the completions of OpenAI: strict about what it does not know."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __call__(self, asked: Any) -> Any:
        if asked.path != "/v1/completions":
            return self.answer({"error": "no such endpoint"}, 404)
        if "prompt_logprobs" in asked.body:
            return self.answer({"error": {"message": "unknown argument"}}, 400)
        tokens = pieces(asked.body["prompt"])
        logprobs = {"tokens": tokens, "token_logprobs": [None, *[-2.0] * (len(tokens) - 1)]}
        return {"choices": [{"text": asked.body["prompt"], "logprobs": logprobs}]}


def llama_cpp(asked: Any) -> Any:
    """Answer like llama.cpp's server, which ignores what it does not know."""
    if asked.path == "/tokenize":
        return {"tokens": []}
    if asked.path == "/apply-template":
        header = "<assistant>" if asked.body["add_generation_prompt"] else ""
        return {"prompt": "<user>Hi" + header}
    return {"choices": [{"text": "generated", "logprobs": None}]}


async def test_vllms_prompt_logprobs_are_asked(serve: Any, answer: Any, connect: Connect):
    server = await serve(Vllm(answer))
    engine = await connect(server.url)

    scored = await engine.logprobs(Text("abcdef"), "ghij", ORIGIN)
    cut = await engine.logprobs(Text("abcdef"), "ghij", ORIGIN, cut_at=3)

    assert (scored.tokens, scored.logprobs) == (("ghi", "j"), (-1.0, -1.0))
    assert (scored.before, cut.tokens, cut.before) == (2, ("ghi",), 2)
    assert server.asked[0].body["prompt"] == "abcdefghij"
    assert "add_special_tokens" not in server.asked[0].body


async def test_echo_is_asked_where_prompt_logprobs_are_refused_and_then_at_once(
    serve: Any, answer: Any, connect: Connect
):
    server = await serve(OpenAi(answer))
    engine = await connect(server.url)

    scored = [await engine.logprobs(Text("abcd"), "efg", ORIGIN) for _ in range(2)]

    assert [(one.tokens, one.logprobs) for one in scored] == [(("def", "g"), (-2.0, -2.0))] * 2
    assert ["echo" in request.body for request in server.asked] == [False, True, True]


async def test_a_server_that_ignores_both_is_refused(serve: Any, connect: Connect):
    engine = await connect((await serve(llama_cpp)).url)

    with pytest.raises(EngineRefused, match=r"ignores `prompt_logprobs` \(vLLM\) and `echo`"):
        await engine.logprobs(Text("abc"), "def", ORIGIN)


async def test_a_text_that_is_refused_in_both_ways_fails_its_call_alone(
    serve: Any, answer: Any, connect: Connect
):
    server = await serve(answer({"error": {"message": "too long"}}, 400))
    engine = await connect(server.url)

    with pytest.raises(CallFailed, match="too long"):
        await engine.logprobs(Text("abc"), "def", ORIGIN)


async def test_an_empty_continuation_asks_nothing(serve: Any, connect: Connect):
    server = await serve(llama_cpp)
    engine = await connect(server.url)

    assert (await engine.logprobs(Text("abc"), "", ORIGIN)).tokens == ()
    assert server.asked == []


async def test_a_chat_is_scored_as_the_text_that_its_template_makes(
    serve: Any, answer: Any, connect: Connect
):
    server = await serve(Vllm(answer))
    engine = await connect(server.url)

    await engine.logprobs(Chat(HELLO), "Ho", ORIGIN)

    assert server.asked[-1].body["prompt"] == "<user>Hi<assistant>Ho"
    assert server.asked[-1].body["add_special_tokens"] is False


async def test_token_ids_are_scored_as_their_text(serve: Any, answer: Any, connect: Connect):
    server = await serve(Vllm(answer))
    engine = await connect(server.url)

    await engine.logprobs(Text((97, 98)), "c", ORIGIN)

    assert server.asked[-1].body["prompt"] == "abc"


@pytest.mark.parametrize("reply_next", [True, False])
@pytest.mark.parametrize("kind", ["vllm", "llama.cpp"])
async def test_the_server_shows_its_template(
    serve: Any, answer: Any, connect: Connect, kind: str, reply_next: bool
):
    server = await serve(Vllm(answer) if kind == "vllm" else llama_cpp)
    engine = await connect(server.url)

    written = await engine.chat_text(HELLO, reply_next=reply_next)

    assert written == ("<user>Hi<assistant>" if reply_next else "<user>Hi")


@pytest.mark.parametrize("status", [404, 422])
async def test_a_server_that_shows_no_template_is_refused_with_the_way_out(
    serve: Any, answer: Any, connect: Connect, status: int
):
    engine = await connect((await serve(answer({"detail": "no"}, status))).url)

    with pytest.raises(EngineRefused, match="give `chat_template:`"):
        await engine.chat_text(HELLO, reply_next=True)


async def test_a_conversation_that_the_servers_template_forbids_fails_its_call(
    serve: Any, answer: Any, connect: Connect
):
    vllm = Vllm(answer)

    def picky(asked: Any) -> Any:
        if asked.path == "/tokenize" and asked.body["messages"][0]["role"] == "system":
            return answer({"error": {"message": "no system turn"}}, 400)
        return vllm(asked)

    engine = await connect((await serve(picky)).url)
    await engine.chat_text(HELLO, reply_next=True)

    with pytest.raises(CallFailed, match="no system turn"):
        await engine.chat_text([Message(role="system", content="Be")], reply_next=True)


async def test_our_own_template_asks_no_server(serve: Any, connect: Connect, tmp_path: Path):
    (tmp_path / "mine.jinja").write_text("[{{ messages[0].content }}]", "utf-8")
    server = await serve(llama_cpp)
    engine = await connect(server.url, tmp_path, chat_template="mine.jinja")

    assert await engine.chat_text(HELLO, reply_next=True) == "[Hi]"
    assert server.asked == []


async def test_texts_are_embedded_in_order(serve: Any, connect: Connect):
    data = [{"index": 1, "embedding": [0.5]}, {"index": 0, "embedding": [1.0]}]
    server = await serve({"data": data})
    engine = await connect(server.url)

    assert await engine.embed(["a", "b"], ORIGIN) == [[1.0], [0.5]]
    assert server.asked[0].path == "/v1/embeddings"
    assert server.asked[0].body == {"model": "m", "input": ["a", "b"]}
