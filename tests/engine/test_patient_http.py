"""Patience and the http engine together, against a server that misbehaves."""

from __future__ import annotations

import asyncio
from typing import Any

from synth.engine.base import Chat, Origin, Sampling
from synth.engine.http import HttpEngine
from synth.engine.patient import PatientEngine
from synth.errors import CallFailed
from synth.record import Message

SAMPLING = Sampling()


async def ask(engine: PatientEngine, text: str) -> str:
    prompt = Chat((Message(role="user", content=text),))
    return (await engine.complete(prompt, SAMPLING, Origin(text, "respond"))).text


async def connected(url: str, **options: Any) -> tuple[HttpEngine, PatientEngine]:
    engine = HttpEngine(url=url, model="m", timeout_s=0.3)
    await engine.start()
    return engine, PatientEngine(engine, first_wait_s=0.01, longest_wait_s=0.05, **options)


async def test_a_server_that_dies_for_a_while_loses_no_call(mock_server: Any):
    async with mock_server(latency_ms=5) as server:
        engine, asks = await connected(server.url, at_once=16, tries=2)
        calls = [asyncio.create_task(ask(asks, str(number))) for number in range(100)]

        await asyncio.sleep(0.02)
        server.behaviour.dead = True
        await asyncio.sleep(0.25)
        server.behaviour.dead = False
        replies = await asyncio.gather(*calls)
        await engine.close()

        assert all(replies)
        assert server.stats["max_in_flight"] <= 16


async def test_a_faulty_server_costs_tries_and_no_record(mock_server: Any):
    faults = {"429": 0.1, "500": 0.1, "503": 0.05, "garbage": 0.05, "cut": 0.05, "close": 0.05}
    async with mock_server(faults=faults, retry_after_s=0.01) as server:
        engine, asks = await connected(server.url, at_once=32, tries=12)

        replies = await asyncio.gather(*(ask(asks, str(number)) for number in range(200)))
        await engine.close()

        assert all(replies)
        assert (server.stats["answered"], server.stats["distinct"]) == (200, 200)


async def test_the_one_call_that_breaks_its_server_fails_alone(mock_server: Any):
    async with mock_server(marked={"poison": "hang"}) as server:
        engine, asks = await connected(server.url, tries=2)
        names = ["a", "poison", "b"]

        ended = await asyncio.gather(*(ask(asks, name) for name in names), return_exceptions=True)
        await engine.close()

        assert [isinstance(end, CallFailed) for end in ended] == [False, True, False]
        assert "timeout: no reply within 0.3 s" in str(ended[1])
