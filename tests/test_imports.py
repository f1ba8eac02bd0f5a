"""What starting up loads: names, not seconds, since seconds depend on the machine."""

from __future__ import annotations

import subprocess
import sys

import pytest

from synth.plugins import find

HEAVY = {
    "aiohttp",
    "datasets",
    "datasketch",
    "duckdb",
    "huggingface_hub",
    "numba",
    "jinja2",
    "numpy",
    "pandas",
    "pyarrow",
    "pydantic",
    "torch",
    "transformers",
    "xllamacpp",
}

# `-X importtime` does not see what `importlib.import_module` loads: our public names come that way.
TELL = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"


def loaded_by(code: str, *arguments: str) -> set[str]:
    """Return the names of all modules that a new Python has loaded when `code` ends."""
    command = [sys.executable, "-c", TELL + code, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    return set(ended.stderr.splitlines()[-1].split())


def heavy(modules: set[str]) -> list[str]:
    return sorted({module.partition(".")[0] for module in modules} & HEAVY)


def test_importing_synth_loads_nothing_heavy():
    loaded = loaded_by("import synth")

    assert "synth" in loaded
    assert heavy(loaded) == []


def test_help_loads_nothing_heavy():
    loaded = loaded_by("from synth.cli import main; main()", "--help")

    assert {"synth.cli", "typer"} <= loaded
    assert heavy(loaded) == []


@pytest.mark.parametrize("words", [["run", "--help"], ["query", "--help"], ["plugins", "--help"]])
def test_help_of_a_command_loads_nothing_heavy(words: list[str]):
    loaded = loaded_by("from synth.cli import main; main()", *words)

    # Typer itself looks for pydantic when it reads the options of a command.
    assert heavy(loaded) in ([], ["pydantic"])


def test_a_public_name_loads_only_what_it_needs():
    loaded = loaded_by("import synth; synth.Verdict")

    assert "synth.record" in loaded
    assert heavy(loaded) == []


def test_the_probe_sees_a_heavy_import():
    assert heavy(loaded_by("import synth; synth.Frozen")) == ["pydantic"]


def test_a_verifier_asked_by_name_is_ours_and_not_a_foreign_package():
    found = find("verifiers", "length")

    assert found.cls.__module__ == "synth.verifiers.length"
    assert "verifiers.length" not in sys.modules
