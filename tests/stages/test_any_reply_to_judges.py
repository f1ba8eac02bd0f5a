"""What specialists, experts and judges may say, and how fast: no crash, no made-up score."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synth.engine.base import Completion, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.frozen import validated
from synth.record import Record, canonical
from synth.run.boundary import leaving
from synth.stage import Stage
from synth.stages.debate import Debate
from synth.stages.feedback import Feedback
from synth.stages.parts.comparison import side_of
from synth.stages.parts.debate_judge import _place  # pyright: ignore[reportPrivateUsage]
from synth.stages.parts.replies import MalformedError
from tests.running import services
from tests.stages.evolving import answered

JUDGED = {"engine": "a", "judge_engine": "a"}
STAGES: list[tuple[type[Stage], dict[str, Any]]] = [
    (Debate, {"engine": "a", "pairs": True}),
    (Debate, {"engine": "a", "mode": "reference", "answers": "number", "keep": "majority"}),
    (Debate, {**JUDGED, "consensus": "judge", "answers": "none", "rounds": 3}),
    (Debate, {**JUDGED, "consensus": "judge", "answers": "choice", "pairs": True}),
    (Feedback, {"engines": ["a"], "n": 3, "judge": "a", "rationales": True}),
    (Feedback, {"engines": ["a"], "judge": "a", "own": True, "together": False}),
    (Feedback, {"engines": ["a"], "n": 3, "judge": "a", "how": "compare", "rejected": "random"}),
    (Feedback, {"engines": ["a"], "n": 2, "judge": "a", "how": "compare", "reasoning": True}),
]
PARTS = [
    "<think>", "</think>", "Answer: 42", "Answer: N/A", "(B)", "\n", "Answer 1\n", "Answer 2\n",
    "Rating: 4\n", "Rating: N/A\n", "Rating: 9\n", "Best: 1", "Best: 0", "Best: two", "Better: A",
    "A", "tie", "\\boxed{", "}", "####", "1,000", "\ud800", "\x00", "{{ x }}", "**", "蓝色",
]  # fmt: skip
texts = st.lists(st.sampled_from(PARTS) | st.text(max_size=6), max_size=8).map("".join)
completions = st.builds(Completion, texts, st.sampled_from(["stop", "length"]))


async def outcomes(
    folder: Any, kind: type[Stage], options: dict[str, Any], script: Callable[..., Any]
) -> list[Record]:
    """Return the rows that a stage makes of a record with a reply of its own."""
    folder.mkdir(exist_ok=True)
    stage = validated(kind, options, folder=folder)
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    record = answered()
    engines = {"a": ScriptedEngine(script)}
    async with services(folder, label="any", engines=engines, prompts=prompts) as given:
        return leaving(record, await stage.apply(record, given), "any")


@pytest.mark.parametrize(("kind", "options"), STAGES)
def test_whatever_a_model_says_is_a_record_without_a_made_up_score(
    tmp_path_factory: pytest.TempPathFactory, kind: type[Stage], options: dict[str, Any]
):
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(completions, min_size=1, max_size=4))
    def check(said: list[Completion]) -> None:
        def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
            return said[(origin.sample + len(origin.step)) % len(said)]

        rows = asyncio.run(outcomes(tmp_path_factory.mktemp("any"), kind, options, reply))

        for row in rows:
            canonical([row.fields, row.messages]).encode("utf-8")
            assert (row.state == "dropped") == (row.dropped is not None)
            assert row.dropped is None or row.dropped.kind == "filter"
            assert row.state != "dropped" or "score" not in row.fields
            if row.state == "live" and kind is Feedback:
                assert row.fields["score"] >= 0
                assert row.fields.get("ratings") or row.fields.get("wins")

    check()


@pytest.mark.parametrize(("kind", "options"), STAGES)
async def test_no_pace_of_replies_changes_a_record(
    tmp_path: Any, kind: type[Stage], options: dict[str, Any]
):
    async def paced(folder: str, seed: int) -> list[Record]:
        rng = Random(seed)

        async def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
            await asyncio.sleep(rng.random() * 0.005)
            if origin.step.startswith("rate"):
                return "\n".join(f"Answer {place}\nRating: {place}" for place in (1, 2, 3))
            if origin.step.startswith("compare"):
                return "Better: A"
            return "Best: 1" if origin.step == "judge" else f"Well. Answer: (B) {origin.sample % 2}"

        return await outcomes(tmp_path / folder, kind, options, reply)

    first, second, third = [await paced(str(seed), seed) for seed in range(3)]

    assert first == second == third


LONG = 60_000


@pytest.mark.parametrize("filler", [" ", "\n", "`", "*", "\t"])
def test_a_long_verdict_is_read_in_linear_time(filler: str):
    started = time.perf_counter()

    with pytest.raises(MalformedError):
        side_of(Completion(f"so {filler * LONG} x", "stop"), reasoning=True)
    with pytest.raises(MalformedError):
        _place(f"Best: a{filler * LONG}b", 3)

    assert time.perf_counter() - started < 1
