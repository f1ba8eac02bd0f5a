"""The http engine against real servers: what it calls failures, and where it asks next."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from synth.engine.base import Chat, Completion, Origin, Sampling, Text
from synth.engine.http import HttpEngine
from synth.engine.http_servers import retry_after_s
from synth.errors import CallFailed, EngineRefused, Outage
from synth.record import Message

HELLO = Chat((Message(role="user", content="Hello"),))
ORIGIN = Origin("record", "respond")
GOOD = {
    "choices": [{"message": {"role": "assistant", "content": "Hi."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 2, "completion_tokens": 1},
}


async def ask(*urls: str, prompt: Chat | Text = HELLO, **options: Any) -> Completion:
    engine = HttpEngine(urls=urls, model="m", **options)
    await engine.start()
    try:
        return await engine.complete(prompt, Sampling(), ORIGIN)
    finally:
        await engine.close()


def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


# What is not an answer


@pytest.mark.parametrize("status", [429, 503])
async def test_a_busy_server_blames_no_call(serve: Any, answer: Any, status: int):
    busy = answer({"error": {"message": "slow down"}}, status, {"Retry-After": "7"})
    server = await serve(busy)

    with pytest.raises(Outage, match=f"http_{status}: slow down") as raised:
        await ask(server.url)

    assert (raised.value.blames_call, raised.value.retry_after_s) == (False, 7)


@pytest.mark.parametrize("status", [408, 500, 502, 504, 529])
async def test_a_server_error_may_be_the_calls_fault(serve: Any, answer: Any, status: int):
    server = await serve(answer(b"Oh\nno", status))

    with pytest.raises(Outage, match=f"http_{status}: Oh no") as raised:
        await ask(server.url)

    assert raised.value.blames_call


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "key"), (402, "credit"), (403, "key"), (404, "url"), (405, "url")]
)
async def test_a_refusal_of_every_call_says_where_and_what_to_check(
    serve: Any, answer: Any, status: int, advice: str
):
    server = await serve(answer({"detail": "go away"}, status))

    with pytest.raises(EngineRefused, match=f"{server.url}.*{status}.*go away.*{advice}"):
        await ask(server.url)


async def test_a_redirect_is_not_followed(serve: Any, answer: Any):
    server = await serve(answer(b"", 307, {"Location": "https://elsewhere/v1"}))

    with pytest.raises(EngineRefused, match="https://elsewhere/v1"):
        await ask(server.url)


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_refused_request_fails_its_call_with_the_servers_words(
    serve: Any, answer: Any, status: int
):
    server = await serve(answer({"error": {"message": "too long"}}, status))

    with pytest.raises(CallFailed, match=f"^refused_request: .*{status}: too long$") as raised:
        await ask(server.url)

    assert not isinstance(raised.value, Outage)


@pytest.mark.parametrize(
    ("fault", "code"),
    [("garbage", "not_json: .*Welcome"), ("cut", "not_json"), ("torn", "cut_off")],
)
async def test_a_broken_reply_may_be_the_calls_fault(mock_server: Any, fault: str, code: str):
    async with mock_server(faults={fault: 1.0}) as server:
        with pytest.raises(Outage, match=f"^{code}") as raised:
            await ask(server.url)

    assert raised.value.blames_call


async def test_an_error_in_a_good_reply_is_quoted(serve: Any):
    server = await serve({"error": {"message": "upstream failed"}})

    with pytest.raises(Outage, match=r"^no_choices: .*upstream failed") as raised:
        await ask(server.url)

    assert raised.value.blames_call


async def test_a_reply_that_does_not_come_is_a_timeout(mock_server: Any):
    async with mock_server(faults={"hang": 1.0}) as server:
        with pytest.raises(Outage, match=r"^timeout: no reply within 0.2 s$") as raised:
            await ask(server.url, timeout_s=0.2)

    assert raised.value.blames_call


async def test_a_connection_closed_without_a_byte_blames_no_call(mock_server: Any):
    async with mock_server(faults={"close": 1.0}) as server:
        with pytest.raises(Outage, match=r"^disconnected: ") as raised:
            await ask(server.url)

    assert not raised.value.blames_call


async def test_a_server_that_is_not_there_blames_no_call():
    with pytest.raises(Outage, match=r"^no_connection: ") as raised:
        await ask(f"http://127.0.0.1:{unused_port()}")

    assert not raised.value.blames_call


async def test_what_is_no_http_at_all_may_be_the_calls_fault():
    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"220 mail ready\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Outage, match=r"^not_http: "):
            await ask(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(
    ("value", "seconds"), [("", 0), ("soon", 0), ("2.5", 2.5), ("-3", 0), ("nan", 0), ("inf", 0)]
)
def test_retry_after_may_be_seconds(value: str, seconds: float):
    assert retry_after_s(value) == seconds


def test_retry_after_may_be_a_date():
    soon = datetime.now(UTC) + timedelta(seconds=60)

    assert 55 < retry_after_s(format_datetime(soon, usegmt=True)) <= 60
    assert retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT") == 0


# Several servers


async def test_the_least_loaded_server_is_asked_next(mock_server: Any):
    async with mock_server(latency_ms=100) as first, mock_server(latency_ms=100) as second:
        engine = HttpEngine(urls=(first.url, second.url), model="m")
        await engine.start()

        await asyncio.gather(*(engine.complete(HELLO, Sampling(), ORIGIN) for _ in range(6)))
        await engine.close()

        assert (first.stats["requests"], second.stats["requests"]) == (3, 3)


async def test_a_server_that_just_failed_is_avoided_while_there_is_another(mock_server: Any):
    gone = f"http://127.0.0.1:{unused_port()}/v1"
    async with mock_server() as alive:
        engine = HttpEngine(urls=(gone, alive.url), model="m")
        await engine.start()

        with pytest.raises(Outage):
            await engine.complete(HELLO, Sampling(), ORIGIN)
        for _ in range(3):
            await engine.complete(HELLO, Sampling(), ORIGIN)
        await engine.close()

        assert alive.stats["requests"] == 3
