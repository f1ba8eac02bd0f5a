"""Counting tokens, by the tokenizer that a recipe names."""
# The package tokenizers is optional and untyped where it is absent.
# pyright: reportMissingImports=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator

from synth.frozen import RecipeFile


def _its_tokenizer_json(path: Path) -> Path:
    """Name the one file that counts: a model's folder also holds gigabytes of weights."""
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise ValueError(f"no tokenizer.json in the folder {path.name!r}")
    if importlib.util.find_spec("tokenizers") is None:
        raise ValueError("counting tokens needs a package: run `pip install tokenizers`")
    return file


TokenizerFile = Annotated[RecipeFile, AfterValidator(_its_tokenizer_json)]
"""A tokenizer.json, or a folder that holds one. Needs the package tokenizers."""


def count_tokens(text: str, tokenizer: Path) -> int:
    """Return how many tokens a text has, without special ones."""
    return len(_loaded(tokenizer).encode(text, add_special_tokens=False).ids)


@cache
def _loaded(path: Path) -> Any:
    """Return the tokenizer in a file, read once a process."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
