"""The layers of the import contracts in pyproject.toml hold, and the contracts can tell."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINT = "from importlinter.cli import lint_imports_command as lint; lint()"
pytestmark = pytest.mark.checkout


def lint_imports(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", LINT, "--no-cache"]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    for folder in ("synth", "verifiers"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_imports_point_downward():
    linted = lint_imports(ROOT)

    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("synth/record.py", "import synth.run", "Imports point downward"),
        ("synth/errors.py", "import synth.frozen", "Imports point downward"),
        ("synth/helpers.py", "import json", "Imports point downward"),
        ("verifiers/length.py", "from synth.record import Record", "Verifiers import only"),
        ("synth/stages/verify.py", "import verifiers.length", "The framework knows no verifier"),
    ],
)
def test_an_import_against_the_layers_is_found(copied: Path, file: str, line: str, broken: str):
    with (copied / file).open("a") as source:
        source.write(f"\n{line}\n")

    linted = lint_imports(copied)

    assert linted.returncode == 1, linted.stdout
    assert any(broken in shown and "BROKEN" in shown for shown in linted.stdout.splitlines())
