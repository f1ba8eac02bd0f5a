"""The mock server: what benchmarks and kill tests take its word for."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "mock_server.py"


def question(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **more}


async def post(url: str, body: dict[str, Any], path: str = "/v1/chat/completions") -> Any:
    async with aiohttp.ClientSession() as session:
        response = await session.post(url.removesuffix("/v1") + path, json=body)
        return response.status, await response.text()


async def said(url: str, body: dict[str, Any]) -> str:
    _, text = await post(url, body)
    return json.loads(text)["choices"][0]["message"]["content"]


async def test_the_same_question_gets_the_same_prose(mock_server: Any):
    async with mock_server() as server:
        first, again = [await said(server.url, question("a", seed=1)) for _ in range(2)]
        others = [await said(server.url, question(*more)) for more in [("b",), ("c",)]]
        seeded = await said(server.url, question("a", seed=2))

    assert first == again
    assert len({first, seeded, *others}) == 4
    assert first.endswith(".")
    assert 80 < len(first.split()) <= 128


async def test_a_reply_is_cut_off_at_max_tokens(mock_server: Any):
    async with mock_server() as server:
        _, text = await post(server.url, question("a", max_tokens=5))

    reply = json.loads(text)
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["usage"]["completion_tokens"] == 5


async def test_equal_bodies_are_counted_as_repeated(mock_server: Any):
    async with mock_server() as server:
        for text in ("a", "b", "a", "a"):
            await said(server.url, question(text))

        counted = [server.stats[name] for name in ("requests", "answered", "distinct", "repeated")]

    assert counted == [4, 4, 2, 2]


async def test_what_is_in_flight_is_averaged_over_time_until_the_last_arrives(mock_server: Any):
    async with mock_server(latency_ms=150) as server:
        early = [asyncio.create_task(said(server.url, question(text))) for text in "abc"]
        await asyncio.sleep(0.1)
        during = server.stats["in_flight"]
        await said(server.url, question("d"))
        await asyncio.gather(*early)

        assert during == 3
        assert server.stats["max_in_flight"] == 4
        assert 2.5 < server.stats["mean_in_flight_until_last"] <= 3
        assert server.stats["in_flight"] == 0


async def test_a_share_of_the_replies_is_slow(mock_server: Any):
    async with mock_server(latency_ms=1, slow_share=1.0, slow_factor=100) as server:
        began = asyncio.get_running_loop().time()
        await said(server.url, question("a"))

    assert asyncio.get_running_loop().time() - began >= 0.1


async def test_marked_questions_go_wrong_and_others_do_not(mock_server: Any):
    async with mock_server(marked={"poison": "500"}) as server:
        statuses = [(await post(server.url, question(text)))[0] for text in ("a poison", "a fish")]

    assert statuses == [500, 200]


async def test_its_behaviour_changes_while_it_runs(mock_server: Any):
    async with mock_server() as server:
        await post(server.url, {"dead": True}, "/control")
        with pytest.raises(aiohttp.ClientError):
            await post(server.url, question("a"))
        await post(server.url, {"dead": False}, "/control")

        assert (await post(server.url, question("a")))[0] == 200


def test_it_runs_as_a_program_and_tells_where():
    command = [sys.executable, str(SCRIPT), "--port", "0", "--latency-ms", "1", "--fault", "500=0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        told = json.loads(program.stdout.readline())
        stats = told["url"].removesuffix("/v1") + "/stats"
        with urllib.request.urlopen(stats) as reply:  # noqa: S310 (loopback)
            counted = json.load(reply)
        program.terminate()

    assert told["url"] == f"http://127.0.0.1:{told['port']}/v1"
    assert counted["requests"] == 0
