"""What a model may say to four stages, and how fast: never a crash, and always the same records."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synth.engine.base import Completion, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.frozen import validated
from synth.record import Judgement, Record, Verdict, canonical
from synth.run.boundary import leaving
from synth.stage import Stage
from synth.stages.dialogue import Dialogue
from synth.stages.evolve import Evolve
from synth.stages.expand import Expand
from synth.stages.revise import Revise
from tests.running import services
from tests.stages.evolving import answered

STAGES: list[tuple[type[Stage], dict[str, Any]]] = [
    (Evolve, {"rounds": 3}),
    (Evolve, {"operators": "quality", "rounds": 3, "keep": "last"}),
    (Expand, {"n": 4}),
    (Expand, {"how": "paraphrase", "n": 4}),
    (Expand, {"how": "nested", "topics": 2, "n": 4}),
    (Dialogue, {"turns": 3, "n": 3, "personas": ["a cook", "a judge"]}),
    (Dialogue, {"how": "transcript", "n": 3}),
    (Dialogue, {"how": "transcript", "mode": "reference", "n": 3}),
    (Revise, {}),
    (Revise, {"how": "refine"}),
    (Revise, {"how": "repair", "failed_by": ["long"], "verifiers": [{"length": {"min_words": 9}}]}),
]
PARTS = [
    "<think>", "</think>", "[Human]", "[AI]", "Verdict: right", "Verdict: wrong", "Equal",
    "Not equal", "1. ", "- ", "\n", "```", "User:", "Thanks!", "sorry", "\ud800", "\x00", "{{ x }}",
    "#Rewritten Prompt#:", "蓝色", "So.", "**", '"',
]  # fmt: skip
texts = st.lists(st.sampled_from(PARTS) | st.text(max_size=6), max_size=8).map("".join)
completions = st.builds(Completion, texts, st.sampled_from(["stop", "length"]))


async def outcomes(
    folder: Any, kind: type[Stage], options: dict[str, Any], script: Callable[..., Any]
) -> list[Record]:
    """Return the rows that a stage makes of a record whose reply the verifier `long` failed."""
    folder.mkdir(exist_ok=True)
    stage = validated(kind, {"engine": "a", **options}, folder=folder)
    prompts = {name: prompt.source for name, prompt in stage.compiled({}).items()}
    failed = Judgement("check", "long", "length", "1", Verdict("fail", "too_short: 1 word"))
    record = answered().judged(failed)
    engines = {"a": ScriptedEngine(script)}
    async with services(folder, label="any", engines=engines, prompts=prompts) as given:
        return leaving(record, await stage.apply(record, given), "any")


@pytest.mark.parametrize(("kind", "options"), STAGES)
def test_whatever_a_model_says_is_a_record(
    tmp_path_factory: pytest.TempPathFactory, kind: type[Stage], options: dict[str, Any]
):
    @settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(completions, min_size=1, max_size=4))
    def check(said: list[Completion]) -> None:
        def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
            return said[(origin.sample + len(origin.step)) % len(said)]

        rows = asyncio.run(outcomes(tmp_path_factory.mktemp("any"), kind, options, reply))

        for row in rows:
            written = canonical([row.fields, row.messages])
            written.encode("utf-8")
            assert row.state != "dropped" or row.dropped
            assert row.dropped is None or row.dropped.kind != "error"
            assert all("<think>" not in turn["content"][:7] for turn in row.messages)

    check()


@pytest.mark.parametrize(("kind", "options"), STAGES)
async def test_no_pace_of_replies_changes_a_record(
    tmp_path: Any, kind: type[Stage], options: dict[str, Any]
):
    async def paced(folder: str, seed: int) -> list[Record]:
        rng = Random(seed)

        async def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
            await asyncio.sleep(rng.random() * 0.005)
            if origin.step in {"topics", "subtopics"}:
                return "1. rivers\n2. roads"
            if origin.step == "transcript":
                return f"[Human] Why {origin.sample}?\n[AI] So.\n[Human] How?\n[AI] Thus."
            wrong = "\nVerdict: wrong" if origin.step.startswith("feedback") else ""
            equal = "Not equal" if origin.step.startswith("judge") else ""
            return equal or f"{origin.step} {origin.sample}{wrong}"

        return await outcomes(tmp_path / folder, kind, options, reply)

    first, second, third = [await paced(str(seed), seed) for seed in range(3)]

    assert first == second == third
    assert any(row.state == "live" for row in first) or options.get("how") == "repair"
