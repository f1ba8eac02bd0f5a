"""Kernels: what is kept of them stays true, and they work where nothing can be kept."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from synth.similarity import kernels

FOLDER = Path(kernels.__file__).parent


def siblings_of(module: Path) -> set[str]:
    """Return the modules of kernels that a module of kernels imports from."""
    imported = {
        f"{node.module.removeprefix('synth.similarity.')}.py"
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        if node.module
        if node.module.startswith("synth.similarity.")
    }
    return {name for name in imported if "@inlined" in (FOLDER / name).read_text("utf-8")}


def test_each_module_that_is_compiled_into_others_is_known():
    modules = [module for module in FOLDER.glob("*.py") if "@kernel" in module.read_text("utf-8")]

    used = set.union(*map(siblings_of, modules))

    assert len(modules) > 3
    assert used <= {*kernels.BUILT_IN}
    assert {"units.py", "shingles.py"} <= used


def test_kernels_work_where_nothing_can_be_kept():
    code = "from synth.similarity.bands import chosen; from synth.similarity.minhash import *; "
    code += "import numpy; print(tags(numpy.zeros((1, 4), numpy.uint32), 2, 2).shape)"
    only_archives = {**os.environ, "NUMBA_CACHE_LOCATOR_CLASSES": "ZipCacheLocator"}

    done = subprocess.run(
        [sys.executable, "-c", code], env=only_archives, capture_output=True, text=True, check=False
    )

    assert done.stdout == "(2, 1)\n", done.stderr
