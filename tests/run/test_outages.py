"""A whole run against a server in trouble: nothing is lost, and each loss has its reason."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from synth.errors import EngineDown
from synth.run.plan import plan
from synth.run.start import Outcome, Settings, run_async
from synth.store import stage_file

ROWS = 40
RECIPE = """
name: trouble
seeds: [seeds.jsonl]
engines:
  teacher:
    http: {{url: "{url}", model: mock, at_once: 8, tries: {tries}, timeout_s: {timeout_s},
           give_up_after_s: {give_up_after_s}}}
stages:
  - respond: {{engine: teacher}}
  - verify: {{verifiers: [{{length: {{min_words: 1}}}}]}}
max_error_rate: 1.0
"""
MockServer = Callable[..., Any]


@asynccontextmanager
async def trouble(
    folder: Path,
    mock_server: MockServer,
    *,
    tries: int = 2,
    give_up_after_s: float = 60,
    **behaviour: Any,
) -> AsyncGenerator[Any, None]:
    """Yield a server that behaves so, with a recipe in `folder` that asks it."""
    async with mock_server(latency_ms=20, retry_after_s=0.2, **behaviour) as server:
        patience = {"timeout_s": 0.6, "tries": tries, "give_up_after_s": give_up_after_s}
        text = RECIPE.format(url=server.url, **patience)
        (folder / "recipe.yaml").write_text(text)
        rows = [json.dumps({"instruction": f"Tell me of number {n:02}."}) for n in range(ROWS)]
        (folder / "seeds.jsonl").write_text("\n".join(rows) + "\n")
        yield server


async def finished(folder: Path) -> Outcome:
    return await run_async(plan(folder / "recipe.yaml"), folder / "run", Settings(workers=1))


async def half_of(count: Callable[[], float]) -> None:
    """Wait until the server has counted half of the rows."""
    while count() < ROWS // 2:  # noqa: ASYNC110 (the server has no event to wait for)
        await asyncio.sleep(0.01)


def reasons(folder: Path) -> dict[str, str]:
    """Return code of the reason by the number asked for, of the records that were dropped."""
    return {
        record.instruction[-3:-1]: record.dropped.reason.partition(":")[0]
        for record in stage_file.read(folder / "run" / "stages" / "01-respond.parquet")
        if record.dropped
    }


async def test_faults_that_pass_lose_no_record(tmp_path: Path, mock_server: MockServer):
    faults = dict.fromkeys(("500", "503", "429", "garbage", "cut", "torn", "close"), 0.02)
    async with trouble(tmp_path, mock_server, tries=20, faults=faults) as server:
        outcome = await finished(tmp_path)

    assert server.stats["requests"] > ROWS
    assert outcome.progress.stages[-1].live == ROWS


async def test_each_call_that_cannot_succeed_is_dropped_with_its_own_reason(
    tmp_path: Path, mock_server: MockServer
):
    marked = {"number 03": "500", "number 05": "hang", "number 07": "garbage", "number 09": "400"}
    async with trouble(tmp_path, mock_server, marked=marked):
        outcome = await finished(tmp_path)

    assert outcome.exit_code == 0
    assert outcome.progress.stages[-1].live == ROWS - len(marked)
    assert reasons(tmp_path) == {
        "03": "http_500",
        "05": "timeout",
        "07": "not_json",
        "09": "refused_request",
    }


async def test_a_server_that_dies_for_a_while_loses_no_record(
    tmp_path: Path, mock_server: MockServer
):
    async with trouble(tmp_path, mock_server) as server:
        running = asyncio.create_task(finished(tmp_path))
        await half_of(lambda: server.stats["requests"])

        server.behaviour.dead = True
        await asyncio.sleep(1.5)
        server.behaviour.dead = False
        outcome = await running

    assert outcome.progress.stages[-1].live == ROWS
    assert reasons(tmp_path) == {}


async def test_a_server_that_stays_dead_ends_the_run_and_the_next_one_finishes_it(
    tmp_path: Path, mock_server: MockServer
):
    async with trouble(tmp_path, mock_server, give_up_after_s=1) as server:
        running = asyncio.create_task(finished(tmp_path))
        await half_of(lambda: server.stats["answered"])
        server.behaviour.dead = True

        with pytest.raises(EngineDown, match="Run the same command again"):
            await running

        server.behaviour.dead = False
        kept, before = server.stats["answered"], server.stats["requests"]
        outcome = await finished(tmp_path)

    assert outcome.progress.stages[-1].live == ROWS
    assert ROWS // 2 <= kept < ROWS
    assert server.stats["requests"] - before <= ROWS - kept + 8
