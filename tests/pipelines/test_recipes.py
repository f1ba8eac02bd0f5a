"""Every shipped recipe passes `synth check` and runs from seeds to datasets."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.engine.base import Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.run.plan import locate, plan, shipped_recipes
from synth.run.start import Settings, run


def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
    if origin.sample:
        return "This one stops in the middle of what"
    return f"Here is a calm and whole answer to question number {origin.position[0]}."


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_runs_on_three_seeds(name: str, tmp_path: Path):
    recipe = plan(name)
    engines = {engine: ScriptedEngine(reply) for engine in recipe.engines}

    outcome = run(plan(name, engines=engines), tmp_path / "run", Settings(limit=3, workers=1))

    assert outcome.exit_code == 0
    assert all(sum(splits.values()) >= 1 for splits in outcome.exports.values()), outcome.exports


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_explains_itself(name: str):
    readme = locate(name).parent / "README.md"

    assert f"synth run {name}" in readme.read_text("utf-8")
