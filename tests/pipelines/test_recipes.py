"""Every shipped recipe passes `synth check` and runs from seeds to datasets."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from synth.engine.scripted import ScriptedEngine
from synth.run.plan import locate, plan, shipped_recipes
from synth.run.start import Settings, run


def script_of(recipe: str) -> Any:
    """Return what its engines say: `reply` of the file replies_<recipe>.py beside this one."""
    return importlib.import_module(f"tests.pipelines.replies_{recipe}").reply


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_runs_on_three_seeds(name: str, tmp_path: Path):
    recipe = plan(name)
    engines = {engine: ScriptedEngine(script_of(name)) for engine in recipe.engines}

    outcome = run(plan(name, engines=engines), tmp_path / "run", Settings(limit=3, workers=1))

    assert outcome.exit_code == 0
    assert all(sum(splits.values()) >= 1 for splits in outcome.exports.values()), outcome.exports


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_explains_itself(name: str):
    readme = locate(name).parent / "README.md"

    assert f"synth run {name}" in readme.read_text("utf-8")
