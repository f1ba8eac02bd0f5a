"""What the documents say is true: commands, recipes, code blocks, exit codes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from synth.cli import app
from synth.plugins import KINDS, find, listed
from synth.run.plan import plan, shipped_recipes

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.checkout


def readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", readme(), re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    return sorted(get_command(app).commands)  # pyright: ignore[reportAttributeAccessIssue]


@pytest.mark.parametrize("command", commands())
def test_every_command_has_help_with_an_example(command: str):
    shown = subprocess.run(
        [sys.executable, "-m", "synth.cli", command, "--help"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"synth {command}" in shown.stdout.split("Options:")[0].split("\n", 2)[2]


@pytest.mark.parametrize("command", commands())
def test_every_command_is_in_the_readme(command: str):
    assert f"synth {command}" in readme()


@pytest.mark.parametrize("recipe", shipped_recipes())
def test_every_shipped_recipe_is_in_the_documents(recipe: str):
    assert recipe in readme()


def test_the_first_recipe_of_the_readme_passes_check(tmp_path: Path):
    (tmp_path / "recipe.yaml").write_text(blocks("yaml")[0])
    (tmp_path / "questions.jsonl").write_text('{"instruction": "Where is Oslo?"}\n')

    checked = plan(tmp_path / "recipe.yaml")

    assert [step.label for step in checked.steps] == ["respond", "verify", "unique"]


def test_the_verifier_of_the_readme_judges_as_it_says(tmp_path: Path):
    (tmp_path / "polite.py").write_text(blocks("python")[1])
    rows = ["Thanks, thank you!", "Thanks."]
    lines = "".join(f'{{"prompt": "Hi", "completion": "{text}"}}\n' for text in rows)
    (tmp_path / "data.jsonl").write_text(lines)

    done = subprocess.run(
        [
            *(sys.executable, "-m", "synth.cli", "verify", "data.jsonl", "--json"),
            *("--into", "run", "--with", "./polite.py:polite: {thanks: 2}"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert '"train": 1' in done.stdout, done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_every_plugin_of_ours_explains_itself_and_each_option(kind: str):
    silent = [
        f"{plugin.name}.{name}"
        for plugin in listed(kind)  # pyright: ignore[reportArgumentType]
        if plugin.source.startswith("expertsynth")
        for name, option in find(kind, plugin.name).cls.model_fields.items()  # pyright: ignore
        if not option.description and name not in {"sampling", "engine"}
    ]

    assert silent == []
