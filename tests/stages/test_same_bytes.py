"""Recipes that evolve and expand give the same bytes at any number of requests in flight."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from synth.engine.scripted import ScriptedEngine
from synth.run.plan import plan
from synth.run.start import Settings, run


def stage_file(recipe: str, stage: str, into: Path, *, at_once: int) -> bytes:
    """Return the file of a stage of a shipped recipe, run on three seeds."""
    script = importlib.import_module(f"tests.pipelines.replies_{recipe}").reply
    changes = {"stages.expand.n": "7"} if recipe == "router_prompts" else {}
    engines = {name: ScriptedEngine(script) for name in plan(recipe).engines}
    planned = plan(recipe, engines=engines, changes=changes).at_once(at_once)

    run(planned, into, Settings(limit=3, workers=1))

    (found,) = into.rglob(f"*{stage}.parquet")
    return found.read_bytes()


@pytest.mark.parametrize(
    ("recipe", "stage"),
    [
        ("evol_instruct", "evolve"),
        ("router_prompts", "expand"),
        ("debate", "debate"),
        ("clinical_qa", "grounded"),
    ],
)
def test_a_second_run_at_another_pace_gives_the_same_bytes(recipe: str, stage: str, tmp_path: Path):
    slow = stage_file(recipe, stage, tmp_path / "slow", at_once=1)
    fast = stage_file(recipe, stage, tmp_path / "fast", at_once=64)

    assert slow == fast
