"""What the wheel holds: everything that a run needs, under one name."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GRAFTED = ("pipelines", "seeds", "verifiers")
BUILT_FROM = ("synth", *GRAFTED, "pyproject.toml", "README.md", "LICENSE")
pytestmark = pytest.mark.checkout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel from a copy, so that what an earlier build left behind is not in it."""
    tree, out = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("wheel")
    for name in BUILT_FROM:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tree / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out)]
    built = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return zipfile.ZipFile(next(out.glob("expertsynth-*.whl")))


def shipped(folder: str, pattern: str) -> set[str]:
    """Return the paths inside the wheel that the files of a source folder should have."""
    home = "" if folder == "synth" else "synth/"
    files = (ROOT / folder).glob(pattern)
    return {home + file.relative_to(ROOT).as_posix() for file in files}


def test_the_wheel_claims_only_synth(wheel: zipfile.ZipFile):
    tops = {name.partition("/")[0] for name in wheel.namelist()}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"synth"}


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [
        ("synth", "**/*.py"),
        ("synth", "py.typed"),
        ("verifiers", "**/*.py"),
        ("pipelines", "*/recipe.yaml"),
        ("pipelines", "**/*.jinja"),
        ("seeds", "**/*.jsonl"),
    ],
)
def test_the_wheel_holds_every_source_file(wheel: zipfile.ZipFile, folder: str, pattern: str):
    assert shipped(folder, pattern) <= set(wheel.namelist())


def test_the_wheel_holds_a_recipe_and_seeds(wheel: zipfile.ZipFile):
    assert "synth/pipelines/quickstart/recipe.yaml" in wheel.namelist()
    assert any(name.startswith("synth/seeds/") for name in wheel.namelist())


def test_every_entry_point_leads_to_a_module_in_the_wheel(wheel: zipfile.ZipFile):
    listed = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    lines = wheel.read(listed).decode().splitlines()
    modules = {line.split("=")[1].partition(":")[0].strip() for line in lines if "=" in line}
    names = set(wheel.namelist())

    missing = {
        module
        for module in modules
        if not {f"{module.replace('.', '/')}{end}" for end in (".py", "/__init__.py")} & names
    }

    assert missing == set()


def test_a_grafted_folder_is_never_imported_by_its_bare_name():
    """`verifiers.length` beside `synth.verifiers.length` would be two modules with two classes."""
    bare = [
        f"{file.relative_to(ROOT)} imports {name}"
        for folder in ("synth", "verifiers", "tests", "benchmarks")
        for file in (ROOT / folder).rglob("*.py")
        for name in imported(ast.parse(file.read_text("utf-8")))
        if name.partition(".")[0] in GRAFTED
    ]

    assert bare == []


def imported(module: ast.Module) -> list[str]:
    """Return the full names that a module imports; relative ones cannot leave their folder."""
    nodes = list(ast.walk(module))
    plain = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    absolute = [n.module or "" for n in nodes if isinstance(n, ast.ImportFrom) and n.level == 0]
    return plain + absolute
