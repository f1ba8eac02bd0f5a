"""What a model may say, and how fast: any text to a stage, at three paces."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synth.engine.base import Completion, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.frozen import validated
from synth.record import Record, canonical
from synth.run.boundary import leaving
from synth.stage import Stage
from tests.running import services

Configured = tuple[type[Stage], dict[str, Any]]
"""A stage and its options; its engines are called `a`."""


async def outcomes(
    folder: Path, stage: Configured, record: Record, script: Callable[..., Any]
) -> list[Record]:
    """Return the rows that a stage makes of a record."""
    folder.mkdir(exist_ok=True)
    kind, options = stage
    made: Stage = validated(kind, options, folder=folder)
    prompts = {name: prompt.source for name, prompt in made.compiled({}).items()}
    engines = {"a": ScriptedEngine(script)}
    async with services(folder, label="any", engines=engines, prompts=prompts) as given:
        (rows,) = await made.apply_batch([record], given)
        return leaving(record, rows, "any")


def check_any_reply(
    folder: Callable[[], Path],
    stage: Configured,
    record: Record,
    pieces: Sequence[str],
    check: Callable[[Record, set[str]], None],
) -> None:
    """Let models say what is put together from `pieces` and other texts; `check` each row.

    Rows can be written, and none is an error of the stage. `check` also gets all that was said.
    """
    texts = st.lists(st.sampled_from(pieces) | st.text(max_size=6), max_size=8).map("".join)
    completions = st.builds(Completion, texts, st.sampled_from(["stop", "length"]))

    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(completions, min_size=1, max_size=4))
    def any_reply(said: list[Completion]) -> None:
        def reply(_prompt: Prompted, _sampling: Sampling, origin: Origin) -> Completion:
            return said[(origin.sample + len(origin.step)) % len(said)]

        for row in asyncio.run(outcomes(folder(), stage, record, reply)):
            canonical([row.fields, row.messages]).encode("utf-8")
            assert (row.state == "dropped") == (row.dropped is not None)
            assert row.dropped is None or row.dropped.kind != "error"
            check(row, {one.text for one in said})

    any_reply()


async def at_three_paces(
    folder: Path, stage: Configured, record: Record, said: Callable[[Prompted, Origin], str]
) -> list[Record]:
    """Return the rows of a stage, which are the same in whatever order replies come."""

    def paced(seed: int) -> Awaitable[list[Record]]:
        rng = Random(seed)

        async def reply(prompt: Prompted, _sampling: Sampling, origin: Origin) -> str:
            await asyncio.sleep(rng.random() * 0.005)
            return said(prompt, origin)

        return outcomes(folder / str(seed), stage, record, reply)

    first, second, third = [await paced(seed) for seed in range(3)]

    assert first == second == third
    return first
