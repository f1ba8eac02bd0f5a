"""Every shipped recipe passes `synth check` and runs from seeds to datasets, the same each time."""

from __future__ import annotations

import asyncio
import importlib
import random
from pathlib import Path
from typing import Any

import pytest

from synth.engine.base import Completion, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.run.plan import locate, plan, shipped_recipes
from synth.run.start import Outcome, Settings, run


class Uneven(ScriptedEngine):
    """A scripted engine whose replies come in another order each time."""

    async def complete(self, prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        """Return the reply after a moment."""
        await asyncio.sleep(random.uniform(0, 0.005))
        return await super().complete(prompt, sampling, origin)


def script_of(recipe: str) -> Any:
    """Return what its engines say: `reply` of the file replies_<recipe>.py beside this one."""
    return importlib.import_module(f"tests.pipelines.replies_{recipe}").reply


def run_scripted(name: str, kind: type[ScriptedEngine], into: Path, *, at_once: int) -> Outcome:
    """Run a shipped recipe on three seeds."""
    engines = {engine: kind(script_of(name)) for engine in plan(name).engines}
    planned = plan(name, engines=engines).at_once(at_once)
    return run(planned, into, Settings(limit=3, workers=1))


def made(folder: Path) -> dict[str, bytes]:
    """Return the stage files and the exported datasets, by path."""
    files = [*folder.glob("stages/*.parquet"), *folder.glob("export/**/*.parquet")]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_makes_the_same_datasets_at_any_pace(name: str, tmp_path: Path):
    outcome = run_scripted(name, ScriptedEngine, tmp_path / "one", at_once=1)
    run_scripted(name, Uneven, tmp_path / "many", at_once=64)

    assert outcome.exit_code == 0
    assert all(sum(splits.values()) >= 1 for splits in outcome.exports.values()), outcome.exports
    assert made(tmp_path / "one")
    assert made(tmp_path / "one") == made(tmp_path / "many")


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_shipped_recipe_explains_itself(name: str):
    readme = locate(name).parent / "README.md"

    assert f"synth run {name}" in readme.read_text("utf-8")
